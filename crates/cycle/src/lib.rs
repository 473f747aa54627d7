//! Who owes what by when: obligations and submission states.
