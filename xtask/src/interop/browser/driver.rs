//! A browser, driven over the WebDriver protocol: Chromium's `chromedriver` and the few requests that the suite needs.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

/// What an answer names an element with.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// Nothing leaves the machine, and nothing of an earlier run is known.
const ARGUMENTS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
];

/// A browser with one window; it ends when this is dropped.
pub(super) struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

impl Browser {
    /// Starts driver and browser with an empty profile in `profile`; downloads go to `downloads`.
    pub(super) fn start(profile: &Path, downloads: &Path) -> Result<Self> {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("start chromedriver (install the packages chromium and chromium-driver)")?;
        let stdout = driver.stdout.take().expect("the output was asked for");
        let mut lines = BufReader::new(stdout).lines();
        // The first line tells what was asked for, a later one what was found.
        let said = |line: String| {
            line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok()
        };
        let port = lines.by_ref().map_while(Result::ok).find_map(said);
        let Some(port) = port else {
            driver.kill()?;
            bail!("chromedriver ended before it listened");
        };
        std::thread::spawn(move || lines.for_each(drop));
        let mut browser = Self { driver, port, session: String::new() };
        let mut arguments: Vec<String> = ARGUMENTS.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", profile.display()));
        arguments.push("--window-size=1280,850".to_owned());
        let answer = browser.post(
            "/session",
            &json!({"capabilities": {"alwaysMatch": {
                "browserName": "chrome",
                "goog:chromeOptions": {
                    "args": arguments,
                    "prefs": {"download.default_directory": downloads, "download.prompt_for_download": false},
                },
                "goog:loggingPrefs": {"browser": "ALL"},
                "timeouts": {"script": 30_000, "pageLoad": 30_000},
            }}}),
        )?;
        let id = answer["sessionId"].as_str().context("the driver gave no session")?;
        browser.session = format!("/session/{id}");
        Ok(browser)
    }

    /// Goes to an address, and loads it again if only its fragment differs.
    pub(super) fn open(&self, url: &str) -> Result<()> {
        self.command("/url", &json!({"url": "about:blank"}))?;
        self.command("/url", &json!({ "url": url })).map(drop)
    }

    /// The value of an expression of JavaScript.
    pub(super) fn value(&self, expression: &str) -> Result<Value> {
        let script = format!("return ({expression});");
        self.command("/execute/sync", &json!({"script": script, "args": []}))
            .with_context(|| format!("in the browser: {expression}"))
    }

    /// Waits until an expression is true, and gives it.
    pub(super) fn until(&self, expression: &str) -> Result<Value> {
        let script = format!(
            "const done = arguments[0]; const end = performance.now() + 20000;
             const look = () => {{
               let value; try {{ value = ({expression}); }} catch {{ value = false; }}
               if (value) done(value); else if (performance.now() > end) done(null); else setTimeout(look, 10);
             }}; look();"
        );
        let value = self.command("/execute/async", &json!({"script": script, "args": []}))?;
        if value.is_null() {
            let page = self.value("document.body.innerText.slice(0, 1500)")?;
            bail!("never true: {expression}\nThe page says: {}", page.as_str().unwrap_or_default());
        }
        Ok(value)
    }

    /// Waits for an element and clicks it.
    pub(super) fn click(&self, selector: &str) -> Result<()> {
        self.until(&format!("document.querySelector({})", json!(selector)))?;
        let element = self.element(selector)?;
        self.command(&format!("/element/{element}/click"), &json!({})).map(drop)
    }

    /// Types into a field, or gives files to a chooser (paths, one a line).
    pub(super) fn enter(&self, selector: &str, text: &str) -> Result<()> {
        let element = self.element(selector)?;
        self.command(&format!("/element/{element}/value"), &json!({ "text": text })).map(drop)
    }

    /// Presses keys one after the other, wherever the focus is. Names are those of WebDriver's key codes below.
    pub(super) fn press(&self, keys: &[&str]) -> Result<()> {
        let strokes: Vec<Value> = keys
            .iter()
            .flat_map(|key| {
                let code = key_code(key);
                [json!({"type": "keyDown", "value": code}), json!({"type": "keyUp", "value": code})]
            })
            .collect();
        let actions = json!({"actions": [{"type": "key", "id": "keys", "actions": strokes}]});
        self.command("/actions", &actions).map(drop)
    }

    /// A command of Chromium's own protocol.
    pub(super) fn chromium(&self, command: &str, parameters: &Value) -> Result<()> {
        self.command("/goog/cdp/execute", &json!({"cmd": command, "params": parameters})).map(drop)
    }

    /// Errors and warnings that the pages left in the console since the last call.
    pub(super) fn console(&self) -> Result<Vec<String>> {
        let entries = self.command("/se/log", &json!({"type": "browser"}))?;
        let entries = entries.as_array().cloned().unwrap_or_default();
        let bad = entries.iter().filter(|entry| entry["level"] == "SEVERE");
        Ok(bad.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect())
    }

    fn element(&self, selector: &str) -> Result<String> {
        let found =
            self.command("/element", &json!({"using": "css selector", "value": selector}))?;
        Ok(found[ELEMENT].as_str().with_context(|| format!("no element {selector}"))?.to_owned())
    }

    fn command(&self, path: &str, body: &Value) -> Result<Value> {
        self.post(&format!("{}{path}", self.session), body)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let value = request(self.port, "POST", path, &body.to_string())?;
        if let Some(error) = value["value"]["error"].as_str() {
            bail!("{path}: {error}: {}", value["value"]["message"].as_str().unwrap_or_default());
        }
        Ok(value["value"].clone())
    }
}

/// One request to the driver, which leaves the connection open after its answer.
fn request(port: u16, method: &str, path: &str, body: &str) -> Result<Value> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(45)))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: \
         {length}\r\n\r\n{body}"
    )?;
    let mut answer = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        answer.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    answer.read_exact(&mut body)?;
    serde_json::from_slice(&body).context("the driver's answer")
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser closes with its session; the driver ends with its process.
        if let Err(error) = request(self.port, "DELETE", &self.session, "") {
            eprintln!("close the browser: {error:#}");
        }
        if self.driver.kill().is_ok() {
            drop(self.driver.wait());
        }
    }
}

fn key_code(name: &str) -> &str {
    match name {
        "Enter" => "\u{e007}",
        "Tab" => "\u{e004}",
        "Escape" => "\u{e00c}",
        "Backspace" => "\u{e003}",
        "Delete" => "\u{e017}",
        "End" => "\u{e010}",
        "Home" => "\u{e011}",
        "ArrowDown" => "\u{e015}",
        "F2" => "\u{e032}",
        other => other,
    }
}
