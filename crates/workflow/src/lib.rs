//! The verbs: one function, one transaction.
