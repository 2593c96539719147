//! Clients that others wrote, unmodified where they can be had: kazoo-sdk, a page of another origin that asks as monster-ui does, and a shell.

mod monster;
mod sdk;
mod shell;
