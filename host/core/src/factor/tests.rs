//! Rules of factors.
