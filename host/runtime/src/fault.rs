//! Traps and guests' own faults, in the host's words. Details go to the log; the fault itself is short.

use std::time::Duration;

use keyway_core::port::BackendFault;
use wasmtime::component::ResourceTableError;
use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::answer::too_large;
use crate::bindings::keyway::backend::types as wit;
use crate::call::CallState;
use crate::limits::LimitHit;

/// How much of a guest's own message is kept.
const MESSAGE_BYTES: usize = 1024;

/// The call went past its deadline while the guest was running. Travels as the cause of a trap.
#[derive(Debug, thiserror::Error)]
#[error("past the deadline")]
pub(crate) struct DeadlineHit;

/// A guest's own fault. One that found the password pool full, or another backend out of order, has said so in its own way.
pub(crate) fn reported(fault: &wit::Fault, state: &CallState) -> BackendFault {
    if state.comparing.was_refused() {
        return BackendFault::Saturated;
    }
    match fault {
        wit::Fault::Unavailable(message) => match &state.failed_delegate {
            Some(delegate) => BackendFault::Delegate(delegate.clone()),
            None => BackendFault::Unavailable(state.clean(message, MESSAGE_BYTES)),
        },
        wit::Fault::Misconfigured(message) => BackendFault::Misconfigured(state.clean(message, MESSAGE_BYTES)),
        wit::Fault::Internal(message) => BackendFault::Internal(state.clean(message, MESSAGE_BYTES)),
    }
}

/// Why a call ended without an answer.
pub(crate) fn trapped(error: &wasmtime::Error, state: &CallState, budget: Duration) -> BackendFault {
    if error.is::<DeadlineHit>() {
        return late(state, budget);
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return BackendFault::Saturated;
    }
    if let Some(limit) = limit_hit(error, state) {
        return limit;
    }
    if let Some(I32Exit(status)) = error.downcast_ref() {
        return BackendFault::Broken(format!("trap: it exited with status {status}"));
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => BackendFault::LimitExceeded("stack".to_owned()),
        Some(trap) => BackendFault::Broken(format!("trap: {trap}")),
        None => BackendFault::Broken(format!("trap: {}", error.root_cause())),
    }
}

/// Why a call was not at its end at the deadline: for the password pool's sake, or for the plugin's own.
pub(crate) fn late(state: &CallState, budget: Duration) -> BackendFault {
    if let Some(delegate) = &state.asking {
        BackendFault::Delegate(delegate.clone())
    } else if state.comparing.took_most_of(budget) {
        BackendFault::Saturated
    } else {
        BackendFault::DeadlineExceeded(budget)
    }
}

fn limit_hit(error: &wasmtime::Error, state: &CallState) -> Option<BackendFault> {
    let exceeded = |what: &str| Some(BackendFault::LimitExceeded(what.to_owned()));
    if let Some(LimitHit(what)) = error.downcast_ref() {
        return exceeded(what);
    }
    if matches!(error.downcast_ref(), Some(ResourceTableError::Full)) {
        return exceeded("handles");
    }
    // The engine's own limits have no public error types.
    let cause = error.root_cause().to_string();
    if cause.contains("fuel allocated for hostcalls") {
        // Only an answer is copied while no guest code is on the stack.
        let in_host_call = error.downcast_ref::<WasmBacktrace>().is_some();
        return if in_host_call {
            exceeded("host-call bytes")
        } else {
            Some(too_large())
        };
    }
    if cause.contains("store handle limit") {
        return exceeded("handles");
    }
    state.meter.refused_growth.and_then(|LimitHit(what)| exceeded(what))
}

/// Whether a fault is the plugin's own doing, as opposed to its surroundings': what probation counts.
pub(crate) fn is_defect(fault: &BackendFault) -> bool {
    match fault {
        BackendFault::Broken(_) | BackendFault::LimitExceeded(_) | BackendFault::Internal(_) => true,
        BackendFault::Unavailable(_)
        | BackendFault::Misconfigured(_)
        | BackendFault::DeadlineExceeded(_)
        | BackendFault::Saturated
        | BackendFault::BreakerOpen { .. }
        | BackendFault::NotLoaded
        | BackendFault::Delegate(_) => false,
    }
}
