// What monster-ui's SDK sends, by the same transport (jQuery) in a real browser and from another origin than the server's: JSON with the envelope and
// `ui_metadata`, `X-Auth-Token` on everything but a look at a token (where there is none, the word `undefined`), a body on DELETE, and a number in the query
// of each GET against caches. What came of each step is told to the server of this page.
"use strict";

const told = {};

function call(step, verb, path, { data, token, anonymous, headers, envelope } = {}) {
    const settings = {
        url: setup.api + path,
        type: verb,
        dataType: "json",
        contentType: "application/json",
        cache: false,
        processData: false,
        beforeSend: (xhr) => {
            if (!anonymous) {
                xhr.setRequestHeader("X-Auth-Token", token);
            }
            $.each(headers || {}, (name, value) => xhr.setRequestHeader(name, value));
        },
    };
    if (verb !== "GET") {
        const metadata = { version: "4.3-142", ui: "monster-ui", origin: "auth" };
        settings.data = JSON.stringify({ ...envelope, data: { ...data, ui_metadata: metadata } });
    }
    return new Promise((resolve) => {
        $.ajax(settings).always((one, outcome, other) => {
            const xhr = outcome === "success" ? other : one;
            // The SDK reads an error only if its type is this word and nothing more.
            const type = xhr.getResponseHeader("content-type");
            const body = xhr.responseText && type === "application/json" ? JSON.parse(xhr.responseText) : null;
            told[step] = { outcome, status: xhr.status, type, id: xhr.getResponseHeader("x-request-id"), body };
            resolve(told[step]);
        });
    });
}

const login = (step, credentials, token) =>
    call(step, "PUT", "user_auth", { token, data: { credentials, account_name: setup.account_name } });

async function walk() {
    await login("wrong password", setup.wrong_credentials);
    const first = (await login("login", setup.credentials)).body;
    const token = first.auth_token;
    const account = "accounts/" + first.data.account_id;
    const own = account + "/users/" + first.data.owner_id;

    // A page that is loaded again has the token from its cookie.
    await call("reload", "POST", "auth/tokeninfo", { anonymous: true, data: { token } });
    await call("reload by GET", "GET", "auth/tokeninfo?token=" + token, { anonymous: true });
    await call("reload with nonsense", "POST", "auth/tokeninfo", { anonymous: true, data: { token: "nonsense" } });
    await call("account", "GET", account, { token });
    await call("children", "GET", account + "/children", { token });
    await call("descendants", "GET", account + "/descendants", { token });
    await call("tree", "GET", account + "/tree", { token });
    await call("user", "GET", own, { token });
    await call("users", "GET", account + "/users?paginate=false", { token });
    await call("attempts", "GET", account + "/security/attempts", { token });
    await call("key", "GET", account + "/api_key", { token });
    // An installation that names its cluster does so in a header.
    await call("cluster", "GET", own, { token, headers: { "X-Kazoo-Cluster-ID": first.data.cluster_id } });
    // The browser asks the server first, and keeps to its answer.
    await call("header of its own", "GET", own, { token, headers: { "X-Nobody-Knows": "1" } });
    await call("nothing", "GET", account + "/nosuch", { token });

    const newcomer = { username: "nina", password: "n1na-pw", first_name: "Nina", last_name: "N", email: "n@example.org" };
    const made = (await call("make", "PUT", account + "/users", { token, data: newcomer })).body;
    const path = account + "/users/" + made.data.id;
    await call("make again", "PUT", account + "/users", { token, data: newcomer });
    const whole = (await call("made", "GET", path, { token })).body.data;
    await call("update", "POST", path, { token, data: { ...whole, first_name: "Nora" } });
    await call("patch", "PATCH", path, { token, data: { last_name: "Z" } });
    await call("remove", "DELETE", path, { token });

    await call("impersonate", "PUT", "accounts/" + setup.below + "/users/" + setup.user_below + "/user_auth", {
        token,
        data: { action: "impersonate_user" },
    });

    // The session ends elsewhere: one refusal, a login with the dead token still in the header, and the same again.
    await call("end", "DELETE", "token_auth", { token });
    await call("ended", "GET", own, { token });
    const again = (await login("login again", setup.credentials, token)).body;
    await call("user again", "GET", own, { token: again.auth_token });
}

async function forgotten() {
    const data = { username: setup.username, account_name: setup.account_name, ui_url: window.location.href };
    await call("ask", "PUT", "user_auth/recovery", { data });
    await call("ask elsewhere", "PUT", "user_auth/recovery", { data: { ...data, ui_url: "https://evil.example.org/" } });
}

async function recover(resetId) {
    const first = (await call("recover", "POST", "user_auth/recovery", { data: { reset_id: resetId } })).body;
    const token = first.auth_token;
    const own = "accounts/" + first.data.account_id + "/users/" + first.data.owner_id;
    const user = (await call("user", "GET", own, { token })).body.data;
    // Newer pages send what changes, older ones everything that they know of the user.
    const [password, other] = setup.new_passwords;
    await call("change", "PATCH", own, { token, data: { password, require_password_update: false } });
    const next = (await login("login", setup.new_credentials[0], token)).body.auth_token;
    const whole = { ...user, password: other, require_password_update: false };
    await call("change everything", "POST", own, { token: next, data: whole });
    await login("login again", setup.new_credentials[1], next);
    await call("recover again", "POST", "user_auth/recovery", { data: { reset_id: resetId } });
}

async function main() {
    try {
        const resetId = new URLSearchParams(window.location.search).get("recovery");
        await (resetId ? recover(resetId) : setup.forgotten ? forgotten() : walk());
    } catch (error) {
        told.failed = String(error.stack || error);
    }
    await fetch("/told", { method: "POST", body: JSON.stringify(told) });
}

main();
