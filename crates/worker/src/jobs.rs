//! One file per job.

pub(crate) mod add_up;
pub(crate) mod assess;
pub(crate) mod assess_given_up;
pub(crate) mod build_release;
pub(crate) mod check;
pub(crate) mod check_collection;
pub(crate) mod deliver;
pub(crate) mod forget;
pub(crate) mod lake;
pub(crate) mod mark;
pub(crate) mod recognise;
pub(crate) mod rounds;
pub(crate) mod send_email;
pub(crate) mod send_sign_in_link;
pub(crate) mod tell;
pub(crate) mod tell_client_ends;
pub(crate) mod tell_explained;
pub(crate) mod tell_news;
