//! The live page and the documentation pages in a real browser, over the DevTools protocol. Without Chromium these
//! tests report that they were skipped.

mod browser;

use harness::program::Program;
use serde_json::json;

use browser::Browser;

/// The URLs of the pages.
async fn open_both(browser: &mut Browser, desk: &Program) -> (browser::Tab, browser::Tab) {
    let ada = browser.open(&format!("{}/?user=ada", desk.http_url())).await;
    let bob = browser.open(&format!("{}/?user=bob", desk.http_url())).await;
    for tab in [&ada, &bob] {
        browser
            .until(
                tab,
                r#"document.querySelector('[data-testid="status"]').dataset.state === "online""#,
            )
            .await;
    }
    (ada, bob)
}

/// S1-P02: Ada writes to Bob, who sees it arrive; she sees his typing and reading.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_see_each_other_write_and_read_on_the_live_page() {
    let Some(mut browser) = Browser::start().await else {
        return;
    };
    let desk = Program::start(&["--memory"], &[]).await;
    let (ada, bob) = open_both(&mut browser, &desk).await;

    // Ada opens the conversation and writes.
    browser
        .click(&ada, r#"[data-testid="new-direct"] [data-username="bob"]"#)
        .await;
    browser.click(&ada, r#"[data-testid="composer"]"#).await;
    browser.types(&ada, "Hello, Bob! <b>&amp;</b>").await;
    browser.click(&ada, r#"[data-testid="send"]"#).await;
    let sent =
        r#"document.querySelectorAll('[data-testid="messages"] .msg.own[data-state="sent"]').length === 1"#;
    browser.until(&ada, sent).await;
    let mark = "document.querySelector('.msg.own .mark')";
    assert_eq!(
        browser
            .evaluate(&ada, &format!("{mark}.classList.contains('read')"))
            .await,
        json!(false)
    );

    // Bob's list shows it without a reload; a click reads it.
    browser
        .until(
            &bob,
            "document.querySelector('.conv .badge:not([hidden])')?.textContent === '1'",
        )
        .await;
    browser.click(&bob, "[data-testid=\"conversations\"] .conv").await;
    browser
        .until(
            &bob,
            "document.querySelector('.msg .text')?.textContent === 'Hello, Bob! <b>&amp;</b>'",
        )
        .await;
    browser
        .until(&ada, &format!("{mark}.classList.contains('read')"))
        .await;
    browser
        .until(&bob, "document.querySelector('.conv .badge').hidden")
        .await;

    // Bob types, which Ada sees come and go; his answer arrives in her open conversation.
    browser.click(&bob, r#"[data-testid="composer"]"#).await;
    browser.types(&bob, "Hello, A").await;
    browser
        .until(
            &ada,
            r#"document.querySelector('[data-testid="typing"]').textContent.includes('Bob')"#,
        )
        .await;
    browser.types(&bob, "da!").await;
    browser.presses_enter(&bob).await;
    browser
        .until(
            &ada,
            "document.querySelectorAll('.msg .text')[1]?.textContent === 'Hello, Ada!'",
        )
        .await;
    browser
        .until(
            &ada,
            r#"document.querySelector('[data-testid="typing"]').textContent === ''"#,
        )
        .await;
    browser
        .until(&bob, &format!("{mark}?.classList.contains('read')"))
        .await;

    // Ada deletes hers; both see the tombstone.
    browser.click(&ada, r#".msg.own [data-testid="delete"]"#).await;
    browser
        .click(&ada, r#".msg.own [data-testid="confirm-delete"]"#)
        .await;
    for tab in [&ada, &bob] {
        browser
            .until(
                tab,
                "document.querySelector('.msg.deleted .text')?.textContent === 'message deleted'",
            )
            .await;
        let seqs = browser
            .evaluate(
                tab,
                "[...document.querySelectorAll('.msg')].map(row => row.dataset.seq).join()",
            )
            .await;
        assert_eq!(seqs, "1,2");
    }
    browser.assert_quiet(desk.http_url());
    browser.close().await;
    desk.kill().await;
}

/// S0-W: Ada sends a mail to Bob, whose lists and counts update without a reload; he reads, stars and archives it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_and_its_notification_show_on_the_live_page() {
    let Some(mut browser) = Browser::start().await else {
        return;
    };
    let desk = Program::start(&["--memory"], &[]).await;
    let (ada, bob) = open_both(&mut browser, &desk).await;
    for tab in [&ada, &bob] {
        let credits = r#"document.querySelector('[data-testid="credits"]').textContent === '100 credits'"#;
        browser.until(tab, credits).await;
        browser.click(tab, r#"[data-testid="part-mail"]"#).await;
    }
    browser.click(&ada, r#"[data-testid="new-mail"]"#).await;
    browser.click(&ada, r#"[data-testid="mail-subject"]"#).await;
    browser.types(&ada, "Harbour at noon").await;
    browser.click(&ada, r#"[data-testid="mail-body"]"#).await;
    browser.types(&ada, "Dear Bob, <b>come</b>!").await;
    browser.click(&ada, r#"[data-testid="mail-send"]"#).await;

    // Bob's counts and lists, then the mail itself; reading it decreases the count.
    for badge in ["mail-unread", "notifications-unread"] {
        let shows = format!(
            r#"document.querySelector('[data-testid="{badge}"]:not([hidden])')?.textContent === '1'"#
        );
        browser.until(&bob, &shows).await;
    }
    browser
        .click(&bob, r#"[data-testid="mails"] .row.unread .open"#)
        .await;
    let body = "document.getElementById('letter-body').textContent === 'Dear Bob, <b>come</b>!'";
    browser.until(&bob, body).await;
    browser
        .until(
            &bob,
            r#"document.querySelector('[data-testid="mail-unread"]').hidden"#,
        )
        .await;
    browser.click(&bob, r#"[data-testid="mails"] .star"#).await;
    let starred = r#"document.querySelector('[data-testid="mails"] .star').ariaPressed === 'true'"#;
    browser.until(&bob, starred).await;
    browser.click(&bob, r#"[data-testid="mail-archive"]"#).await;
    browser
        .until(
            &bob,
            r#"document.querySelector('[data-testid="mails"] .row') === null"#,
        )
        .await;

    // The notification describes it; once read, it is no longer counted.
    browser.click(&bob, r#"[data-testid="part-notifications"]"#).await;
    let words = r#"document.querySelector('[data-testid="notifications"] .says')?.textContent
        === 'New message from Ada Lovelace: Harbour at noon'"#;
    browser.until(&bob, words).await;
    browser.click(&bob, r#"[data-testid="read-all"]"#).await;
    browser
        .until(
            &bob,
            r#"document.querySelector('[data-testid="notifications-unread"]').hidden"#,
        )
        .await;
    browser.assert_quiet(desk.http_url());
    browser.close().await;
    desk.kill().await;
}

/// Both documentation pages render without requests to other hosts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documentation_pages_render_without_another_host() {
    let Some(mut browser) = Browser::start().await else {
        return;
    };
    let desk = Program::start(&["--memory"], &[]).await;
    let docs = browser.open(&format!("{}/docs", desk.http_url())).await;
    browser
        .until(&docs, "document.querySelector('.swagger-ui .opblock') !== null")
        .await;
    let operations = browser
        .evaluate(&docs, "document.querySelectorAll('.swagger-ui .opblock').length")
        .await;
    assert!(operations.as_u64().unwrap() > 10, "{operations}");
    let redoc = browser.open(&format!("{}/redoc", desk.http_url())).await;
    browser
        .until(
            &redoc,
            "[...document.querySelectorAll('h1')].some(h => h.textContent.includes('Tidings'))",
        )
        .await;
    browser
        .until(&redoc, "document.querySelectorAll('h2').length > 5")
        .await;
    browser.assert_quiet(desk.http_url());
    browser.close().await;
    desk.kill().await;
}
