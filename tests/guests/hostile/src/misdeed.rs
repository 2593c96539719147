//! The misdeeds, one function each.

mod net;

use std::hint::black_box;
use std::time::Duration;

use keyway_sdk::directory;
use keyway_sdk::{
    Challenge, ChallengeKind, Deserialize, DigestAlgorithm, Fault, JsonSchema, Login, Outcome, Principal, Refusal,
};
use keyway_sdk::{config, log, schemars, serde};

/// The byte that fills the state of a challenge.
pub(crate) const STATE: u8 = 0x5a;

const MIB: usize = 1024 * 1024;

/// Something that a backend must not do, or must not do so much of.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(crate = "keyway_sdk::serde", rename_all = "snake_case")]
pub(crate) enum Misdeed {
    /// Never answers, and never calls the host.
    EndlessLoop,
    /// Never answers, and calls the host all the time.
    EndlessCalls,
    /// Takes all the memory it gets, and then never stops writing to it.
    MemoryBomb,
    /// Takes all the memory it gets, and then answers with the attribute `bytes`. It asks for no more than `amount` bytes.
    MemoryProbe,
    /// Calls itself until the stack ends.
    StackOverflow,
    /// Panics.
    Panic,
    /// Leaves the process, with success if `amount` is 0 or absent.
    Exit,
    /// Says so in the log, and sleeps for `amount` milliseconds.
    Slow,
    /// Logs `amount` lines.
    LogFlood,
    /// Logs one line of `amount` bytes.
    LogHuge,
    /// Writes `amount` lines to stderr.
    StderrFlood,
    /// Asks for the secret `key` `amount` times, and keeps each handle.
    HandleFlood,
    /// Looks a user up `amount` times.
    LookupFlood,
    /// Compares a secret `amount` times.
    ComparisonFlood,
    /// Asks the host to compare with a verifier that demands 4 GiB.
    CostlyVerifier,
    /// Answers with a principal of `amount` bytes.
    HugeAnswer,
    /// Answers with text that is not UTF-8.
    BadUtf8,
    /// Answers with an empty subject.
    EmptySubject,
    /// Gives a challenge whose state is `amount` bytes long.
    ChallengeState,
    /// Says that it verified a user of the host's directory, the one with the login `alice`, whose password it never asked about.
    ClaimsDirectoryUser,
    /// Says that it verified that user, whose password it compared with the secret `key`, which no caller presented.
    MatchesOwnSecret,
    /// Says that it verified whomever the password, looked up as a digest, finds; outside of a login it looks the secret `key` up.
    FindsByDigest,
    /// Looks the password up as a digest, whoever's that is, and says that it verified the user `alice`.
    ClaimsAnotherByDigest,
    /// Looks the password up as a digest `amount` times.
    DigestFlood,
    /// Wants to see the password without having asked for the capability.
    ExposeWithoutGrant,
    /// Connects to the endpoint `target` `amount` times.
    NetFlood,
    /// Connects to an endpoint that it never said it would want.
    NetElsewhere,
    /// Writes to the endpoint `target` without an end.
    NetFirehose,
    /// Reads from the endpoint `target` what never comes.
    NetWait,
    /// Leaves a connection to the endpoint `target` that carried the password to a later call.
    NetKeepCredential,
    /// Leaves one that carried nothing of the sort.
    NetKeep,
    /// Answers with the fault `unavailable`.
    Unavailable,
    /// Answers with the fault `internal`, with a message of `amount` bytes that holds control characters.
    UglyFault,
}

impl Misdeed {
    pub(crate) fn named(name: &str) -> Option<Self> {
        use serde::de::IntoDeserializer as _;
        let name: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = name.into_deserializer();
        Self::deserialize(name).ok()
    }

    /// Commits it. `None` where it came to an end without an answer.
    pub(crate) fn commit(self, amount: Option<u64>, login: Option<&Login>) -> Result<Option<Outcome>, Fault> {
        let many = amount.unwrap_or(1_000_000);
        match self {
            Self::EndlessLoop => endless_loop(),
            Self::EndlessCalls => endless_calls(),
            Self::MemoryBomb => memory_bomb(),
            Self::MemoryProbe => return Ok(Some(memory_probe(amount))),
            Self::StackOverflow => drop(black_box(deeper(&[0; 64]))),
            Self::Panic => panic(),
            Self::Exit => std::process::exit(amount.and_then(|status| status.try_into().ok()).unwrap_or(0)),
            Self::Slow => slow(amount.unwrap_or(1_000)),
            Self::LogFlood => (0..many).for_each(|line| log::info!("flood", line = line)),
            Self::LogHuge => log::info!("huge", text = filled(amount.unwrap_or(16 * MIB as u64))),
            Self::StderrFlood => stderr_flood(many),
            Self::HandleFlood => handle_flood(many)?,
            Self::LookupFlood => lookup_flood(many)?,
            Self::ComparisonFlood => comparison_flood(many, login)?,
            Self::CostlyVerifier => costly_verifier(login)?,
            Self::HugeAnswer => return Ok(Some(huge_answer(amount.unwrap_or(16 * MIB as u64)))),
            Self::BadUtf8 => return Ok(Some(bad_utf8())),
            Self::EmptySubject => return Ok(Some(Principal::own("").login("alice").into())),
            Self::ChallengeState => return Ok(Some(challenge_state(amount.unwrap_or(8 * 1024 + 1)))),
            Self::ClaimsDirectoryUser => return claims_directory_user().map(Some),
            Self::MatchesOwnSecret => return matches_own_secret().map(Some),
            Self::FindsByDigest => return finds_by_digest(login).map(Some),
            Self::ClaimsAnotherByDigest => {
                find_by_digest(login)?;
                return claims_directory_user().map(Some);
            }
            Self::DigestFlood => digest_flood(many, login)?,
            Self::ExposeWithoutGrant => expose_without_grant(login)?,
            Self::NetFlood => net::flood(many)?,
            Self::NetElsewhere => net::elsewhere()?,
            Self::NetFirehose => net::firehose()?,
            Self::NetWait => net::wait()?,
            Self::NetKeepCredential => return net::keep(login).map(Some),
            Self::NetKeep => return net::keep(None).map(Some),
            Self::Unavailable => return Err(Fault::unavailable("as requested")),
            Self::UglyFault => return Err(ugly_fault(amount.unwrap_or(MIB as u64))),
        }
        Ok(None)
    }
}

fn endless_loop() -> ! {
    loop {
        black_box(());
    }
}

fn endless_calls() -> ! {
    loop {
        black_box(config::json());
    }
}

/// All the memory there is, in pieces of one MiB, each of them written to.
fn hoard(limit: u64) -> Vec<Vec<u8>> {
    let mut hoard = Vec::new();
    // Room for 64 GiB's worth of pieces, before there is none.
    if hoard.try_reserve(64 * 1024).is_err() {
        return hoard;
    }
    while (hoard.len() as u64) * (MIB as u64) < limit {
        let mut piece = Vec::new();
        if piece.try_reserve_exact(MIB).is_err() {
            break;
        }
        piece.resize(MIB, 1);
        hoard.push(piece);
    }
    hoard
}

fn memory_bomb() -> ! {
    let mut hoard = hoard(u64::MAX);
    loop {
        for piece in &mut hoard {
            piece.fill(2);
            black_box(&piece);
        }
        black_box(());
    }
}

fn memory_probe(limit: Option<u64>) -> Outcome {
    let bytes = hoard(limit.unwrap_or(u64::MAX)).len() * MIB;
    Principal::own("alice").attribute("bytes", bytes.to_string()).into()
}

/// The array and the addition after the call keep the compiler from making a loop of it.
#[expect(unconditional_recursion, reason = "it is what it does")]
fn deeper(above: &[u8; 64]) -> usize {
    let mut here = [1; 64];
    black_box(&mut here);
    deeper(&here) + usize::from(black_box(above).contains(&0))
}

#[expect(clippy::panic, reason = "it is what it does")]
fn panic() -> ! {
    panic!("as requested")
}

/// A test waits for the line, and then knows that the call is under way.
fn slow(milliseconds: u64) {
    log::info!("slow", milliseconds = milliseconds);
    std::thread::sleep(Duration::from_millis(milliseconds));
}

#[expect(clippy::print_stderr, reason = "it is what it does")]
fn stderr_flood(lines: u64) {
    for line in 0..lines {
        eprintln!("flood {line}");
    }
}

fn handle_flood(amount: u64) -> Result<(), Fault> {
    let mut handles = Vec::new();
    for _ in 0..amount {
        handles.push(config::find_secret("key").ok_or_else(|| Fault::misconfigured("there is no `secrets.key`"))?);
    }
    black_box(&handles);
    Ok(())
}

fn lookup_flood(amount: u64) -> Result<(), Fault> {
    for _ in 0..amount {
        black_box(directory::find_by_login("alice", None)?);
    }
    Ok(())
}

fn comparison_flood(amount: u64, login: Option<&Login>) -> Result<(), Fault> {
    for _ in 0..amount {
        if let Some(login) = login {
            login.credential.secret().matches(Some(crate::ALICE))?;
        }
    }
    Ok(())
}

fn costly_verifier(login: Option<&Login>) -> Result<(), Fault> {
    let verifier = crate::ALICE.replace("m=8,", "m=4194303,");
    if let Some(login) = login {
        login.credential.secret().matches(Some(&verifier))?;
    }
    Ok(())
}

fn huge_answer(bytes: u64) -> Outcome {
    Principal::own("alice").attribute("huge", filled(bytes)).into()
}

/// The contract's types cannot express it, so the host's own check of what crosses the border is what meets it.
#[expect(unsafe_code, reason = "no safe code makes such a string")]
fn bad_utf8() -> Outcome {
    // SAFETY: the string is only passed on, byte by byte, to a host that must not trust it.
    Principal::own(unsafe { String::from_utf8_unchecked(vec![b'a', 0xff, 0xfe]) }).into()
}

fn challenge_state(bytes: u64) -> Outcome {
    let state = vec![STATE; usize::try_from(bytes).unwrap_or(usize::MAX)];
    Challenge::new(ChallengeKind::Otp, "the code").state(state).into()
}

fn claims_directory_user() -> Result<Outcome, Fault> {
    match directory::find_by_login("alice", None)? {
        directory::Found::One(user) => Ok(Principal::directory(&user).into()),
        _ => Err(Fault::misconfigured("the directory has no user `alice`")),
    }
}

fn matches_own_secret() -> Result<Outcome, Fault> {
    let secret = config::find_secret("key").ok_or_else(|| Fault::misconfigured("there is no `secrets.key`"))?;
    if let directory::Found::One(user) = directory::find_by_login("alice", None)? {
        directory::verify_password(Some(&user.id), &secret)?;
    }
    claims_directory_user()
}

fn find_by_digest(login: Option<&Login>) -> Result<Option<directory::User>, Fault> {
    let tenant = Some("master");
    if let Some(login) = login {
        let found = directory::find_by_digest(DigestAlgorithm::Md5, login.credential.secret(), tenant);
        return Ok(found?);
    }
    let secret = config::find_secret("key").ok_or_else(|| Fault::misconfigured("there is no `secrets.key`"))?;
    Ok(directory::find_by_digest(DigestAlgorithm::Md5, &secret, tenant)?)
}

fn finds_by_digest(login: Option<&Login>) -> Result<Outcome, Fault> {
    Ok(match find_by_digest(login)? {
        Some(user) => Principal::directory(&user).into(),
        None => Refusal::WrongCredential.into(),
    })
}

fn digest_flood(amount: u64, login: Option<&Login>) -> Result<(), Fault> {
    for _ in 0..amount {
        black_box(find_by_digest(login)?);
    }
    Ok(())
}

fn expose_without_grant(login: Option<&Login>) -> Result<(), Fault> {
    if let Some(login) = login {
        login.credential.secret().expose()?;
    }
    Ok(())
}

fn ugly_fault(bytes: u64) -> Fault {
    Fault::internal(format!("first line\nsecond line\u{1b}[31m red \u{0}{}", filled(bytes)))
}

fn filled(bytes: u64) -> String {
    "x".repeat(usize::try_from(bytes).unwrap_or(usize::MAX))
}
