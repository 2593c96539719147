//! Which configurations are accepted, and what is said of the others.
