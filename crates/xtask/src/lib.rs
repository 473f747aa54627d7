//! The house rules that no compiler knows, held as tests.
//!
//! Each module is one rule: a pure function from text to complaints, a test that it can fail, and a test that this tree keeps it.
//! A rule is never loosened to let something through: mend the code, or change the rule's decision page.

#[cfg(test)]
mod comments_on_tables;
#[cfg(test)]
mod core_is_pure;
#[cfg(test)]
mod deploy;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod libraries;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod names_are_data;
#[cfg(test)]
mod rust_text;
#[cfg(test)]
mod shape;
#[cfg(test)]
mod transactions;
#[cfg(test)]
mod tree;
#[cfg(test)]
mod versions;
#[cfg(test)]
mod words;
