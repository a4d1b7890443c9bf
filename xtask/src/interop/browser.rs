//! The web interface in Chromium, on a cluster of ours.
//!
//! What is seen here is what a person sees: files go up, are looked into and come down through the pages, long folders
//! scroll, a dead DataNode shows, names with markup stay text, and everything is reached from the keyboard, on a narrow
//! screen and in the dark. At the end the console of the browser must be clean.

mod driver;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use super::cluster::{Cluster, output, scratch};
use crate::ci::Count;
use driver::Browser;

/// Who the pages say the reader is.
const USER: &str = "browser";
/// Entries of the long folder, more or less.
const ENTRIES: u64 = 100_000;
/// A dead DataNode is noticed after twice the first and ten times the second.
const SETTINGS: [&str; 6] = [
    // A page of loopback may fetch from there; from another name over HTTP, Chromium warns.
    "dfs.datanode.hostname=localhost",
    "fs.trash.interval=60",
    "dfs.namenode.heartbeat.recheck-interval=500",
    "dfs.heartbeat.interval=1",
    "dfs.permissions.superusergroup=browser",
    "dfs.namenode.acls.enabled=true",
];
/// Every page of the NameNode.
const PAGES: [&str; 10] = [
    "/dfshealth.html#tab-overview",
    "/dfshealth.html#tab-datanode",
    "/dfshealth.html#tab-datanode-volume-failures",
    "/dfshealth.html#tab-slow-nodes",
    "/dfshealth.html#tab-snapshot",
    "/dfshealth.html#tab-startup-progress",
    "/dfshealth.html#tab-configuration",
    "/dfshealth.html#tab-metrics",
    "/dfshealth.html#tab-log-level",
    "/explorer.html#/desk",
];

/// What is tried, and by whom.
type Case = (&'static str, fn(&Stage) -> Result<()>);

pub(super) fn run() -> Result<Count> {
    let stage = Stage::set()?;
    let mut count = Count::default();
    let cases: [Case; 9] = [
        ("a file goes up, is shown, and comes down with the same bytes", transfer),
        ("names with markup stay text", injection),
        ("modes change, a file is renamed, and deleted to the trash", changes),
        ("a folder of 100,000 entries is paged and quick", long_listing),
        ("everything is reached from the keyboard", keyboard),
        ("no page is wider than a narrow screen", narrow),
        ("the dark is dark, and the choice is kept", dark),
        ("the plots show what happened", plots),
        ("a dead DataNode is shown", dead_datanode),
    ];
    for (name, case) in cases {
        let began = Instant::now();
        match case(&stage).and_then(|()| stage.console_is_clean()) {
            Ok(()) => {
                count.passed += 1;
                println!("browser: {name}: {:.1} s", began.elapsed().as_secs_f64());
            }
            Err(error) => {
                count.failed += 1;
                println!("browser: FAIL {name}: {error:#}");
            }
        }
    }
    Ok(count)
}

/// A cluster, a browser, and a folder for both.
struct Stage {
    browser: Browser,
    cluster: Cluster,
    dir: PathBuf,
    web: String,
}

impl Stage {
    fn set() -> Result<Self> {
        let dir = scratch("browser-files")?;
        let (profile, downloads) = (dir.join("profile"), dir.join("downloads"));
        std::fs::create_dir_all(&downloads)?;
        let cluster = Cluster::start("browser", 3, &SETTINGS)?;
        let conf = std::fs::read_to_string(cluster.conf().join("hdfs-site.xml"))?;
        let web = conf
            .split_once("<name>dfs.namenode.http-address</name><value>")
            .and_then(|(_, rest)| rest.split_once('<'))
            .context("the cluster tells no web address")?;
        let web = format!("http://{}", web.0);
        let browser = Browser::start(&profile, &downloads)?;
        let stage = Self { browser, cluster, dir, web };
        stage.hdfs(&["dfs", "-mkdir", "-p", "/desk", "/user/browser"])?;
        stage.hdfs(&["dfs", "-chown", "-R", USER, "/desk", "/user/browser"])?;
        stage.browser.open(&stage.web)?;
        stage.browser.value(&format!("localStorage.setItem('tusk.user', '{USER}')"))?;
        Ok(stage)
    }

    fn hdfs(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(super::binary());
        output(command.args(arguments).env("HADOOP_CONF_DIR", self.cluster.conf()))
    }

    /// Opens a page of the NameNode and waits for its first content.
    fn open(&self, page: &str) -> Result<()> {
        self.browser.open(&format!("{}{page}", self.web))?;
        let shown = "document.querySelector('main > *') && document.querySelector('nav.side a')";
        self.browser.until(&format!("!!({shown})")).map(drop)
    }

    /// Opens a folder and waits until it is listed.
    fn folder(&self, path: &str) -> Result<()> {
        self.open(&format!("/explorer.html#{path}"))?;
        self.browser
            .until("/entr/.test(document.querySelector('.list-status')?.textContent)")
            .map(drop)
    }

    /// Waits for a row with this name.
    fn row(&self, name: &str) -> Result<()> {
        self.browser.until(&format!("{}.includes({})", NAMES, json!(name))).map(drop)
    }

    fn console_is_clean(&self) -> Result<()> {
        // Whether a name is free is asked for; that nothing is there is what the page wants to hear.
        let expected = |line: &String| line.contains("op=GETFILESTATUS") && line.contains("404");
        let mut errors = self.browser.console()?;
        errors.retain(|line| !expected(line));
        ensure!(errors.is_empty(), "the console of the browser says: {}", errors.join("\n"));
        Ok(())
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.dir.join(name);
        std::fs::write(&path, bytes)?;
        Ok(path)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.dir) {
            eprintln!("could not remove {}: {error}", self.dir.display());
        }
    }
}

/// The names in the list, as an expression.
const NAMES: &str =
    "[...document.querySelectorAll('.list-row .c-name')].map((of) => of.textContent)";

fn transfer(stage: &Stage) -> Result<()> {
    let browser = &stage.browser;
    stage.folder("/desk")?;
    browser.press(&["n"])?;
    browser.until("!!document.querySelector('dialog #field-name')")?;
    browser.press(&["i", "n", "Enter"])?;
    stage.row("in")?;
    stage.folder("/desk/in")?;
    // Two blocks of nothing regular, a name that has to be escaped, and an empty file.
    let bytes: Vec<u8> =
        (0..9_000_001_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let name = "a b#%é+.bin";
    let files = [
        stage.file(name, &bytes)?,
        stage.file("text.txt", "line\n".repeat(20_000).as_bytes())?,
        stage.file("empty", b"")?,
    ];
    let paths: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    browser.enter("#picker", &paths.join("\n"))?;
    for name in [name, "text.txt", "empty"] {
        stage.row(name)?;
    }
    let listed = stage.hdfs(&["dfs", "-ls", "/desk/in"])?;
    ensure!(listed.contains("9000001") && listed.contains(USER), "the NameNode lists {listed}");
    // The tail of the text, and the places of its block.
    browser.value("[...document.querySelectorAll('.c-name a')].find((of) => of.textContent === 'text.txt').click()")?;
    browser
        .until("document.querySelector('pre.look')?.textContent.startsWith('line\\nline\\n')")?;
    browser.value("[...document.querySelectorAll('dialog button')].find((of) => of.textContent === 'Tail').click()")?;
    browser
        .until("document.querySelector('dialog').textContent.includes('to 100,000 of 100,000')")?;
    browser.until("document.querySelectorAll('dialog td li a').length === 3")?;
    browser.press(&["Escape"])?;
    browser.until("!document.querySelector('dialog')")?;
    let open = format!(
        "[...document.querySelectorAll('.c-name a')].find((of) => of.textContent === {}).click()",
        json!(name)
    );
    browser.value(&open)?;
    browser.click("dialog .top-actions button")?;
    let downloaded = wait_for_file(&stage.dir.join("downloads").join(name))?;
    ensure!(downloaded == bytes, "{} bytes came back, and they differ", downloaded.len());
    browser.press(&["Escape"])
}

/// A download has its name when it is complete.
fn wait_for_file(path: &Path) -> Result<Vec<u8>> {
    let end = Instant::now() + Duration::from_secs(20);
    while !path.exists() {
        ensure!(Instant::now() < end, "{} was not downloaded", path.display());
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(std::fs::read(path)?)
}

fn injection(stage: &Stage) -> Result<()> {
    let browser = &stage.browser;
    let names = [
        "<img src=x onerror=window.hit=1>",
        "<script>window.hit=1<",
        "\"'><svg onload=window.hit=1>",
    ];
    for name in names {
        stage.hdfs(&["dfs", "-touch", &format!("/desk/evil/{name}")]).or_else(|_| {
            stage.hdfs(&["dfs", "-mkdir", "-p", "/desk/evil"])?;
            stage.hdfs(&["dfs", "-touch", &format!("/desk/evil/{name}")])
        })?;
    }
    stage.folder("/desk/evil")?;
    for name in names {
        stage.row(name)?;
        let click = format!(
            "[...document.querySelectorAll('.c-name a')].find((of) => of.textContent === {}).click()",
            json!(name)
        );
        browser.value(&click)?;
        browser.until(&format!(
            "document.querySelector('dialog h2').textContent === {}",
            json!(name)
        ))?;
        browser.press(&["Escape"])?;
        browser.until("!document.querySelector('dialog')")?;
    }
    let marks =
        browser.value("document.querySelectorAll('main img, main script, dialog img').length")?;
    ensure!(marks == 0, "{marks} elements were made of names");
    ensure!(browser.value("window.hit ?? null")?.is_null(), "a name was run as a script");
    Ok(())
}

fn changes(stage: &Stage) -> Result<()> {
    let browser = &stage.browser;
    stage.hdfs(&["dfs", "-mkdir", "-p", "/desk/edit"])?;
    stage.hdfs(&["dfs", "-touch", "/desk/edit/one"])?;
    stage.hdfs(&["dfs", "-chown", "-R", USER, "/desk/edit"])?;
    stage.folder("/desk/edit")?;
    browser.press(&["m"])?;
    browser.until("!!document.querySelector('#octal')")?;
    browser.value("document.querySelector('#octal').select()")?;
    browser.enter("#octal", "600")?;
    browser.press(&["Enter"])?;
    browser
        .until("document.querySelector('.list-row .c-permission')?.textContent === '-rw-------'")?;
    browser.press(&["F2"])?;
    browser.until("!!document.querySelector('#field-to')")?;
    browser.press(&["t", "w", "o", "Enter"])?;
    stage.row("two")?;
    browser.press(&["Delete"])?;
    browser.until("!!document.querySelector('dialog .danger')")?;
    browser.click("dialog .danger")?;
    browser.until("document.querySelector('.list-status').textContent.startsWith('0 entries')")?;
    let trash = stage.hdfs(&["dfs", "-ls", "/user/browser/.Trash/Current/desk/edit"])?;
    ensure!(trash.contains("-rw-------") && trash.contains("/two"), "the trash has {trash}");
    Ok(())
}

fn long_listing(stage: &Stage) -> Result<()> {
    let browser = &stage.browser;
    let entries = ENTRIES.to_string();
    stage.hdfs(&[
        "bench",
        "nn",
        "mkdirs",
        "--ops",
        &entries,
        "--files-per-dir",
        &entries,
        "--dir",
        "/long",
        "--keep",
    ])?;
    let (folder, entries) = full_folder(stage)?;
    let began = Instant::now();
    stage.folder(&folder)?;
    browser.until("document.querySelectorAll('.list-row').length > 10")?;
    let first = began.elapsed();
    let status = browser.value("document.querySelector('.list-status').textContent")?;
    let status = status.as_str().unwrap_or_default().replace(',', "");
    ensure!(
        status.starts_with(&format!("{entries} entries 1000 loaded")),
        "the folder says: {status}"
    );
    ensure!(first < Duration::from_secs(3), "the first page took {first:?}");
    let began = Instant::now();
    browser.press(&["End"])?;
    // The heading is the first row.
    let last = entries + 1;
    browser.until(&format!(
        "document.querySelector('.list-row.active')?.getAttribute('aria-rowindex') === '{last}'"
    ))?;
    let all = began.elapsed();
    let rows = browser.value("document.querySelectorAll('.list-row').length")?;
    ensure!(rows.as_u64().is_some_and(|rows| rows < 100), "{rows} rows are in the page");
    let began = Instant::now();
    browser.enter("main input[type=search]", "9999")?;
    browser.until("/^[\\d,]+ of /.test(document.querySelector('.list-status').textContent)")?;
    println!(
        "browser: {entries} entries: first page {:.2} s, all {:.2} s, filtered {:.2} s",
        first.as_secs_f64(),
        all.as_secs_f64(),
        began.elapsed().as_secs_f64()
    );
    Ok(())
}

/// The folder that the load generator filled, and its entries: with calls in flight, the last ones are in another.
fn full_folder(stage: &Stage) -> Result<(String, u64)> {
    let counts = stage.hdfs(&["dfs", "-count", "/long/*/mkdirs/*"])?;
    let folders = counts.lines().filter_map(|line| {
        let mut fields = line.split_whitespace();
        // The folder counts itself.
        let entries = fields.next()?.parse::<u64>().ok()?.checked_sub(1)?;
        Some((fields.next_back()?.to_owned(), entries))
    });
    let full = folders.max_by_key(|(_, entries)| *entries).context("the folder is not there")?;
    ensure!(full.1 > ENTRIES / 100 * 95, "the fullest folder is {full:?}");
    Ok(full)
}

fn keyboard(stage: &Stage) -> Result<()> {
    let browser = &stage.browser;
    stage.open("/dfshealth.html")?;
    browser.until("!!document.querySelector('.cards')")?;
    browser.press(&["Tab"])?;
    let first = browser.value("document.activeElement.id")?;
    ensure!(first == "skip", "the first stop is {first}");
    browser.press(&["Enter"])?;
    browser.until("document.activeElement.id === 'main'")?;
    browser.press(&["?"])?;
    browser.until("document.querySelectorAll('dialog dt').length > 10")?;
    browser.press(&["Escape"])?;
    browser.until("!document.querySelector('dialog')")?;
    browser.press(&["g", "d"])?;
    browser.until("document.querySelector('h1')?.textContent === 'DataNodes'")?;
    browser.press(&["/", "z", "z"])?;
    browser.until("document.querySelector('main').innerText.includes('Nothing matches')")?;
    browser.press(&["Escape", "g", "f"])?;
    browser.until("document.querySelectorAll('.list-row').length >= 2")?;
    browser.until("document.activeElement.classList.contains('list')")?;
    // Down to the last folder, in, and back up: the row that was left is active again.
    browser.press(&["End", "Enter"])?;
    browser.until("document.querySelector('.crumbs [aria-current]').textContent === 'user'")?;
    browser.until("document.querySelectorAll('.list-row').length >= 1")?;
    browser.press(&["Backspace"])?;
    browser.until("document.querySelector('.list-row.active .c-name')?.textContent === 'user'")?;
    // Every stop of the Tab key can be seen: it has an outline, or its row has.
    for _ in 0..12 {
        browser.press(&["Tab"])?;
        let seen = "(() => { const of = document.activeElement; return of === document.body || \
                    of.classList.contains('list') || getComputedStyle(of).outlineStyle !== 'none'; })()";
        let what = browser.value("document.activeElement.outerHTML.slice(0, 120)")?;
        ensure!(browser.value(seen)? == true, "the focus is not seen on {what}");
    }
    Ok(())
}

fn narrow(stage: &Stage) -> Result<()> {
    let browser = &stage.browser;
    let screen = json!({"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": false});
    browser.chromium("Emulation.setDeviceMetricsOverride", &screen)?;
    let datanode = browser_datanode(stage)?;
    let pages = PAGES.iter().map(|page| format!("{}{page}", stage.web)).chain([datanode]);
    for page in pages {
        browser.open(&page)?;
        browser.until(
            "!!document.querySelector('main .panel, main .card, main .list-row, main .empty')",
        )?;
        let excess = "document.documentElement.scrollWidth - innerWidth";
        let wide = "[...document.querySelectorAll('main *')].find((of) => of.getBoundingClientRect().right > innerWidth \
                    + 1)?.outerHTML.slice(0, 200) ?? ''";
        let fits = browser.value(excess)?.as_i64().is_some_and(|excess| excess <= 0);
        ensure!(fits, "{page} is too wide: {}", browser.value(wide)?);
    }
    browser.chromium("Emulation.clearDeviceMetricsOverride", &json!({}))
}

/// The address of a DataNode's page, as the page about DataNodes links it.
fn browser_datanode(stage: &Stage) -> Result<String> {
    stage.open("/dfshealth.html#tab-datanode")?;
    let link = stage.browser.until("document.querySelector('tbody a')?.href")?;
    Ok(link.as_str().context("a DataNode has no page")?.to_owned())
}

fn dark(stage: &Stage) -> Result<()> {
    let browser = &stage.browser;
    let scheme = |value: &str| {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": value}]});
        browser.chromium("Emulation.setEmulatedMedia", &features)
    };
    // The sum of the background's colours.
    let light = "getComputedStyle(document.documentElement).backgroundColor.match(/\\d+/g).slice(0, 3).reduce((a, b) => a \
                 + Number(b), 0)";
    scheme("dark")?;
    stage.open("/dfshealth.html")?;
    ensure!(browser.value(light)?.as_u64() < Some(150), "the dark page is not dark");
    browser.press(&["t"])?;
    ensure!(browser.value(light)?.as_u64() > Some(600), "the switch does not lighten");
    stage.open("/explorer.html")?;
    ensure!(browser.value(light)?.as_u64() > Some(600), "the choice is not kept");
    browser.value("localStorage.removeItem('tusk.theme')")?;
    scheme("light")
}

fn plots(stage: &Stage) -> Result<()> {
    let browser = &stage.browser;
    stage.open("/dfshealth.html")?;
    // Two samples make a line.
    browser.until("document.querySelectorAll('.chart path.line').length >= 6")?;
    let calls = "performance.getEntriesByType('resource').map((of) => new URL(of.name).origin)";
    let origins = browser.value(&format!("[...new Set({calls})]"))?;
    let known = browser_datanode(stage)?;
    let host = known.trim_start_matches("http://").split(':').next().unwrap_or_default().to_owned();
    for origin in origins.as_array().into_iter().flatten().filter_map(|of| of.as_str()) {
        let ours = origin == stage.web || origin.starts_with(&format!("http://{host}:"));
        ensure!(ours, "the page asked {origin}");
    }
    Ok(())
}

fn dead_datanode(stage: &Stage) -> Result<()> {
    let browser = &stage.browser;
    let fourth = Process::datanode(stage)?;
    stage.open("/dfshealth.html#tab-datanode")?;
    browser.until("document.querySelectorAll('.data-table tbody tr').length === 4")?;
    drop(fourth);
    browser.until("document.querySelectorAll('.data-table .state.bad').length === 1")?;
    stage.open("/dfshealth.html")?;
    browser
        .until("document.querySelector('.alert.bad')?.textContent.includes('1 DataNode dead')")?;
    Ok(())
}

/// A DataNode of its own, which is killed when this is dropped.
struct Process(Child);

impl Process {
    fn datanode(stage: &Stage) -> Result<Self> {
        let volume = stage.dir.join("fourth");
        let mut command = Command::new(super::binary());
        command.arg("datanode");
        let settings = [
            format!("dfs.datanode.data.dir={}", volume.display()),
            "dfs.datanode.address=127.0.0.1:0".to_owned(),
            "dfs.datanode.http.address=127.0.0.1:0".to_owned(),
            "dfs.datanode.ipc.address=127.0.0.1:0".to_owned(),
            "dfs.heartbeat.interval=1".to_owned(),
        ];
        for setting in settings {
            command.args(["-D", &setting]);
        }
        let child = command
            .env("HADOOP_CONF_DIR", stage.cluster.conf())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut process = Self(child);
        let errors = process.0.stderr.take().expect("the output was asked for");
        std::thread::spawn(move || {
            BufReader::new(errors).lines().map_while(Result::ok).for_each(drop);
        });
        Ok(process)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.0.kill().is_ok() {
            drop(self.0.wait());
        }
    }
}
