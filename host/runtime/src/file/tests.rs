//! What a named file answers, and what its changes do to that.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

const LOGIN: Field = Field {
    separator: ':',
    number: 0,
};

fn open(path: &Path) -> Arc<NamedFile> {
    NamedFile::with_freshness("passwd", FileSpec::new(path.to_owned()), Duration::ZERO)
}

fn written(text: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("passwd");
    fs::write(&path, text).unwrap();
    (folder, path)
}

async fn find(file: &Arc<NamedFile>, key: &str) -> Option<Vec<String>> {
    file.find(LOGIN, key, 8).await
}

#[expect(clippy::unnecessary_wraps, reason = "it is compared with what may be none")]
fn one(line: &str) -> Option<Vec<String>> {
    Some(vec![line.to_owned()])
}

#[tokio::test]
async fn lines_are_found_by_a_whole_field() {
    let (_folder, path) = written("# a comment\nbob:2:x\r\n\nalice:1:x\n#alice:9:x\nalice2:3\nbob:4:y\n:5\nsolo\n");
    let file = open(&path);
    assert_eq!(find(&file, "alice").await, one("alice:1:x"));
    assert_eq!(find(&file, "bob").await, Some(vec!["bob:2:x".into(), "bob:4:y".into()]));
    assert_eq!(find(&file, "").await, one(":5"));
    assert_eq!(find(&file, "solo").await, one("solo"));
    for absent in ["Alice", "ali", "#alice", "zed", "alice:1"] {
        assert_eq!(find(&file, absent).await, Some(Vec::new()), "{absent}");
    }
    let second = Field { number: 1, ..LOGIN };
    assert_eq!(file.find(second, "4", 8).await, one("bob:4:y"));
    assert_eq!(file.find(second, "1", 0).await, Some(Vec::new()));
    let none = Field { number: 255, ..LOGIN };
    assert_eq!(file.find(none, "", 8).await, Some(Vec::new()));
}

#[tokio::test]
async fn a_hundred_thousand_lines_are_each_found_and_an_edit_is_live_at_the_next_question() {
    let mut text = String::new();
    for number in 0..100_000 {
        writeln!(text, "user{number}:{}:hash{number}", number + 1000).unwrap();
    }
    let (_folder, path) = written(&text);
    let file = open(&path);
    for number in (0..100_000).step_by(997).chain([99_999]) {
        let line = format!("user{number}:{}:hash{number}", number + 1000);
        assert_eq!(find(&file, &format!("user{number}")).await, one(&line));
    }
    assert_eq!(find(&file, "user100000").await, Some(Vec::new()));

    fs::write(&path, text.replace("hash500\n", "other\n")).unwrap();
    assert_eq!(find(&file, "user500").await, one("user500:1500:other"));
    text.push_str("user100000:1:new\n");
    fs::write(&path, &text).unwrap();
    assert_eq!(find(&file, "user100000").await, one("user100000:1:new"));
    let same_size = text.replace("user100000:1:new\n", "user100000:2:new\n");
    fs::write(&path, same_size).unwrap();
    assert_eq!(find(&file, "user100000").await, one("user100000:2:new"));
}

#[tokio::test]
async fn a_file_that_is_replaced_by_a_rename_is_read_again() {
    let (folder, path) = written("alice:1\n");
    let file = open(&path);
    assert_eq!(find(&file, "alice").await, one("alice:1"));
    fs::write(folder.path().join("new"), "alice:2\n").unwrap();
    fs::rename(folder.path().join("new"), &path).unwrap();
    assert_eq!(find(&file, "alice").await, one("alice:2"));
}

/// What makes a file one that cannot be used.
type Break = fn(&Path);

#[tokio::test]
async fn a_file_that_cannot_be_used_has_no_lines_until_it_can() {
    let (folder, path) = written("alice:1\n");
    let spec = FileSpec {
        max_size: 20,
        ..FileSpec::new(path.clone())
    };
    let file = NamedFile::with_freshness("passwd", spec, Duration::ZERO);
    let breakages: [(&str, Break); 4] = [
        ("gone", |path| fs::remove_file(path).unwrap()),
        ("too large", |path| fs::write(path, [b'a'; 21]).unwrap()),
        ("no text", |path| fs::write(path, b"alice:\xff\n").unwrap()),
        ("a folder", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        }),
    ];
    for (what, break_it) in breakages {
        assert_eq!(find(&file, "alice").await, one("alice:1"));
        break_it(&path);
        // Again and again, not only while the change is news.
        for _ in 0..2 {
            assert_eq!(find(&file, "alice").await, None, "{what}");
            assert_eq!(file.list(0, 10).await, None, "{what}");
        }
        if path.is_file() || !path.exists() {
            fs::write(&path, "alice:1\n").unwrap();
        }
    }
    drop(folder);
}

#[tokio::test]
async fn a_last_line_without_an_end_counts_once_it_stands_still() {
    let (_folder, path) = written("alice:1\nbob:2");
    let file = open(&path);
    assert_eq!(find(&file, "bob").await, one("bob:2"));
}

#[tokio::test]
async fn many_who_ask_at_once_share_a_look() {
    let (_folder, path) = written("alice:1\n");
    let file = open(&path);
    let asked = (0..50).map(|_| find(&file, "alice"));
    for found in futures::future::join_all(asked).await {
        assert_eq!(found, one("alice:1"));
    }
    assert!(file.lock().looking.is_none());
}

#[tokio::test]
async fn pages_follow_each_other_to_the_end() {
    let mut text = String::new();
    for number in 0..3_000 {
        writeln!(text, "user{number}:{}", "x".repeat(50)).unwrap();
    }
    writeln!(text, "huge:{}", "x".repeat(70_000)).unwrap();
    text.push_str("last:1\n");
    let (_folder, path) = written(&text);
    let file = open(&path);
    let (mut next, mut lines, mut pages) = (Some(0), Vec::new(), 0);
    while let Some(start) = next {
        let page = file.list(start, 1_000).await.unwrap();
        assert!(page.lines.len() <= 1_000);
        lines.extend(page.lines);
        next = page.next;
        pages += 1;
    }
    assert_eq!((lines.len(), pages), (3_001, 4));
    assert_eq!(lines.last().map(String::as_str), Some("last:1"));
    let end = Page {
        lines: Vec::new(),
        next: None,
    };
    assert_eq!(file.list(u64::MAX, 1_000).await, Some(end));
}

#[tokio::test]
async fn orders_by_ever_other_fields_take_no_more_memory() {
    let (_folder, path) = written("alice:1\n");
    let file = open(&path);
    for number in 0..20 {
        let field = Field { number, ..LOGIN };
        file.find(field, "alice", 8).await.unwrap();
    }
    let content = file.lock().content.clone().unwrap();
    assert_eq!(content.indexed().len(), 4);
    assert_eq!(find(&file, "alice").await, one("alice:1"));
}

/// However many fields are asked about, one thread is busy with the file and no more.
#[tokio::test]
async fn a_file_is_put_in_one_order_at_a_time() {
    let (_folder, path) = written("alice:1\nbob:2\n");
    let file = open(&path);
    assert_eq!(find(&file, "alice").await, one("alice:1"));
    let content = file.lock().content.clone().unwrap();
    let sorting = content.sorting().await;
    let second = Field { number: 1, ..LOGIN };
    let mut asked = Box::pin(file.find(second, "2", 8));
    assert!(
        tokio::time::timeout(Duration::from_millis(100), &mut asked)
            .await
            .is_err()
    );
    // What there is an order by is found all the same.
    assert_eq!(find(&file, "bob").await, one("bob:2"));
    drop(sorting);
    assert_eq!(asked.await, one("bob:2"));
}

/// What a question costs: no bytes of the file, and no pass over its lines, while it stands still.
#[tokio::test]
async fn a_file_that_stands_still_is_read_and_put_in_order_once() {
    let mut text = String::new();
    for number in 0..100_000 {
        writeln!(text, "user{number}:{number}").unwrap();
    }
    let (_folder, path) = written(&text);
    let file = open(&path);
    assert_eq!(find(&file, "user7").await, one("user7:7"));
    let held = || file.lock().content.clone().unwrap();
    let (content, index) = (held(), held().known(LOGIN).unwrap());
    for number in (0..100_000).step_by(1_001) {
        assert_eq!(
            find(&file, &format!("user{number}")).await,
            one(&format!("user{number}:{number}"))
        );
    }
    file.list(0, 10).await.unwrap();
    assert!(Arc::ptr_eq(&held(), &content) && Arc::ptr_eq(&held().known(LOGIN).unwrap(), &index));

    fs::write(&path, text.replace("user7:7\n", "user7:8\n")).unwrap();
    assert_eq!(find(&file, "user7").await, one("user7:8"));
    assert!(!Arc::ptr_eq(&held(), &content));
    // Put in order when it was read, so that the question after an edit is no slower than any other.
    assert_eq!(held().indexed(), [LOGIN]);
}

#[tokio::test]
async fn lines_of_any_length_and_content_leave_the_others_alone() {
    let huge = "x".repeat(10 << 20);
    let text = format!("a:1\r\nhuge:{huge}\n{huge}:2\n\0:3\n\u{feff}b:4\n:::\n\r\n\n   \nlast:5");
    let (_folder, path) = written(text);
    let file = open(&path);
    for line in ["a:1", "\0:3", "\u{feff}b:4", "last:5", "   "] {
        assert_eq!(find(&file, line.split(':').next().unwrap()).await, one(line));
    }
    assert_eq!(find(&file, "huge").await.unwrap()[0].len(), huge.len() + 5);
    assert_eq!(find(&file, "").await, one(":::"));
    assert_eq!(find(&file, "b").await, Some(Vec::new()));
}
