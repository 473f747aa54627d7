//! What tests share: databases, servers, drawn workbooks.
