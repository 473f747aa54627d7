//! A real Chromium, and what has to hold of every page that it shows.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use thirtyfour::common::log::LoggingPrefsLogLevel;
use thirtyfour::{By, ChromiumLikeCapabilities, DesiredCapabilities, Key, WebDriver, WebElement};

use crate::lgdp::{free_address, workspace};
use crate::person::Person;
use crate::wait::until;

/// How wide a page is looked at: the narrowest phone that WCAG 1.4.10 asks for, and a desk.
const WIDTHS: [u32; 2] = [320, 1280];
/// Of a page, without what it is made with.
const PAGE_BYTES: u64 = 100_000;
/// What the design system puts behind what has the focus.
const FOCUS_COLOUR: &str = "rgb(253, 213, 34)";
const SOON: Duration = Duration::from_mins(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scripts {
    On,
    Off,
}

pub(crate) struct Browser {
    driver: WebDriver,
    address: String,
    scripts: Scripts,
    pictures: PathBuf,
    axe: String,
    /// Ends with the test.
    _driver_process: DriverProcess,
}

struct DriverProcess(Child);

impl Drop for DriverProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Browser {
    /// `story` names the folder of its pictures, in the target directory.
    pub(crate) async fn start(address: &str, scripts: Scripts, story: &str) -> Browser {
        let at = free_address();
        let (_, port) = at.rsplit_once(':').unwrap();
        let process = Command::new(std::env::var("CHROMEDRIVER").unwrap_or("chromedriver".into()))
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is here: ./run test installs it");
        let process = DriverProcess(process);
        until("the driver answers", SOON, || async {
            TcpStream::connect(&at).ok()
        })
        .await;
        let mut wanted = DesiredCapabilities::chrome();
        // No sandbox: the tests may be root's, and the only pages are our own.
        for argument in [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--window-size=1280,1000",
            "--force-prefers-reduced-motion",
        ] {
            wanted.add_arg(argument).unwrap();
        }
        for log in ["browser", "performance"] {
            wanted
                .set_logging_prefs(log, LoggingPrefsLogLevel::All)
                .unwrap();
        }
        let driver = WebDriver::new(format!("http://{at}"), wanted).await;
        let pictures = pictures().join(story);
        let _ = fs::remove_dir_all(&pictures);
        fs::create_dir_all(&pictures).unwrap();
        let axe = workspace().join("node_modules/axe-core/axe.min.js");
        let browser = Browser {
            driver: driver.unwrap(),
            address: address.to_owned(),
            scripts,
            pictures,
            axe: fs::read_to_string(axe).expect("axe-core is here: ./run test installs it"),
            _driver_process: process,
        };
        browser.let_scripts_run(scripts).await;
        browser
    }

    pub(crate) async fn end(self) {
        self.driver.quit().await.unwrap();
    }

    pub(crate) async fn go(&self, path: &str) {
        let url = format!("{}{path}", self.address);
        self.driver.goto(url).await.unwrap();
    }

    /// Goes on as somebody who has signed in elsewhere.
    pub(crate) async fn hand_to(&self, person: &Person) {
        let (name, value) = person.cookie.split_once('=').unwrap();
        let cookie = json!({"name": name, "value": value, "url": self.address, "path": "/", "secure": true,
            "httpOnly": true, "sameSite": "Lax"});
        let kept = self.devtools("Network.setCookie", cookie).await;
        assert_eq!(kept["success"], true, "{kept}");
        self.go("/").await;
        self.sees("Returns").await;
    }

    pub(crate) async fn path(&self) -> String {
        let url = self.driver.current_url().await.unwrap();
        url.path().to_owned()
    }

    /// Presses the link or button that says so.
    pub(crate) async fn press(&self, words: &str) {
        self.control(words).await.click().await.unwrap();
    }

    /// Presses the first of the buttons that begin so.
    pub(crate) async fn press_first(&self, words: &str) {
        let path = format!("//button[starts-with(normalize-space(), {words:?})]");
        self.find(By::XPath(path)).await.click().await.unwrap();
    }

    async fn control(&self, words: &str) -> WebElement {
        let path = format!(
            "//main//a[starts-with(normalize-space(), {words:?})] | //button[normalize-space() = {words:?}]"
        );
        self.find(By::XPath(path)).await
    }

    async fn find(&self, by: By) -> WebElement {
        until(&format!("{by:?} is there"), SOON, || async {
            self.driver.find(by.clone()).await.ok()
        })
        .await
    }

    /// Ticks the box, or chooses the answer, that says so.
    pub(crate) async fn tick(&self, label: &str) {
        let path = format!("//label[starts-with(normalize-space(), {label:?})]");
        self.find(By::XPath(path)).await.click().await.unwrap();
    }

    /// Types into, or chooses in, the field of that label.
    pub(crate) async fn fill(&self, label: &str, text: &str) {
        let field = self.field(label).await;
        if field.tag_name().await.unwrap() == "select" {
            let path = format!(".//option[contains(normalize-space(), {text:?})]");
            let option = field.find(By::XPath(path)).await.unwrap();
            option.click().await.unwrap();
            return;
        }
        if field.prop("type").await.unwrap().as_deref() != Some("file") {
            field.clear().await.unwrap();
        }
        field.send_keys(text).await.unwrap();
    }

    /// Types into a field of somebody else's page, which has no label.
    pub(crate) async fn fill_named(&self, name: &str, text: &str) {
        let field = self.find(By::Name(name)).await;
        // It may have been filled in already.
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// As another person's browser, here and at the other programs of this machine.
    pub(crate) async fn forget_cookies(&self) {
        self.driver.delete_all_cookies().await.unwrap();
    }

    /// Has the browser send so many bytes a second.
    pub(crate) async fn send_slowly(&self, bytes_per_second: u32) {
        let conditions = json!({"offline": false, "latency": 0, "downloadThroughput": -1,
            "uploadThroughput": bytes_per_second});
        self.devtools("Network.enable", json!({})).await;
        self.devtools("Network.emulateNetworkConditions", conditions)
            .await;
    }

    /// Where the browser was sent, once it is at somebody else's pages.
    pub(crate) async fn sent_to(&self, elsewhere: &str) -> String {
        until("the browser is elsewhere", SOON, || async {
            let url = self.driver.current_url().await.ok()?;
            url.as_str().starts_with(elsewhere).then_some(())
        })
        .await;
        let asked = self.driver.get_log("performance").await.unwrap();
        let asked = asked.iter().rev().find_map(|entry| {
            let message: Value = serde_json::from_str(&entry.message).ok()?;
            let url = message["message"]["params"]["request"]["url"].as_str()?;
            (url.starts_with(elsewhere) && url.contains("state=")).then(|| url.to_owned())
        });
        asked.expect("it was asked for something")
    }

    pub(crate) async fn field(&self, label: &str) -> WebElement {
        let path = format!("//*[@id = //label[starts-with(normalize-space(), {label:?})]/@for]");
        self.find(By::XPath(path)).await
    }

    /// Waits for the page of that heading.
    pub(crate) async fn sees(&self, heading: &str) {
        until(&format!("the page {heading:?}"), SOON, || async {
            (self.text_of("h1").await? == heading).then_some(())
        })
        .await;
    }

    /// Waits until the page says so there.
    pub(crate) async fn reads(&self, css: &str, words: &str) {
        until(&format!("{words:?} in {css}"), SOON, || async {
            self.text_of(css).await?.contains(words).then_some(())
        })
        .await;
    }

    pub(crate) async fn text_of(&self, css: &str) -> Option<String> {
        let element = self.driver.find(By::Css(css)).await.ok()?;
        element.text().await.ok()
    }

    /// A browser that does not know `required` sends the form as it is.
    pub(crate) async fn do_not_check_forms(&self) {
        self.let_scripts_run(Scripts::On).await;
        let script = "for (const form of document.forms) form.noValidate = true";
        self.run(script).await;
        self.let_scripts_run(self.scripts).await;
    }

    /// With the keyboard alone.
    pub(crate) async fn tab_to(&self, words: &str) {
        for _ in 0..40 {
            self.keys(Key::Tab + "").await;
            let focused = self.driver.active_element().await.unwrap();
            self.check_focus_is_seen().await;
            let said = self.said_of_focused().await;
            if said.starts_with(words) {
                return;
            }
            assert_ne!(focused.tag_name().await.unwrap(), "body", "no {words:?}");
        }
        panic!("{words:?} can't be reached by keyboard");
    }

    pub(crate) async fn keys(&self, keys: impl Into<thirtyfour::TypingData>) {
        let typed = self.driver.action_chain().send_keys(keys);
        typed.perform().await.unwrap();
    }

    /// What the system's own window for choosing a file gives, which no driver can work by keyboard.
    pub(crate) async fn choose_file(&self, path: &str) {
        let field = self.driver.active_element().await.unwrap();
        field.send_keys(path).await.unwrap();
    }

    async fn said_of_focused(&self) -> String {
        let script = "const it = document.activeElement; \
            return (it.labels?.[0]?.textContent ?? it.textContent ?? '').trim()";
        self.run(script).await.as_str().unwrap().to_owned()
    }

    /// Whoever has no mouse sees where they are.
    async fn check_focus_is_seen(&self) {
        let script = "const style = getComputedStyle(document.activeElement); \
            const box = document.activeElement.getBoundingClientRect(); \
            return {outline: style.outlineStyle, shadow: style.boxShadow, back: style.backgroundColor, width: box.width, \
                html: document.activeElement.outerHTML.slice(0, 200)}";
        let focused = self.run(script).await;
        let marked = focused["outline"] != "none"
            || focused["shadow"] != "none"
            || focused["back"] == FOCUS_COLOUR;
        let large_enough = focused["width"].as_f64().unwrap() > 4.0;
        assert!(marked && large_enough, "not seen: {focused}");
    }

    pub(crate) async fn run(&self, script: &str) -> Value {
        let done = self.driver.execute(script, vec![]).await.unwrap();
        done.json().clone()
    }

    async fn let_scripts_run(&self, scripts: Scripts) {
        let off = json!({"value": scripts == Scripts::Off});
        self.devtools("Emulation.setScriptExecutionDisabled", off)
            .await;
    }

    async fn show_at(&self, width: u32) {
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", size)
            .await;
    }

    async fn devtools(&self, method: &str, parameters: Value) -> Value {
        let devtools = self.driver.cdp();
        devtools.send_raw(method, parameters).await.unwrap()
    }

    /// Holds the page that is shown to what every page has to be, and takes its picture.
    pub(crate) async fn look(&self, name: &str) {
        assert!(
            !self.driver.title().await.unwrap().is_empty(),
            "{name}: no title"
        );
        let headings = self.driver.find_all(By::Tag("h1")).await.unwrap();
        assert_eq!(headings.len(), 1, "{name}: one h1");
        self.let_scripts_run(Scripts::On).await;
        let script = "return performance.getEntriesByType('navigation')[0].decodedBodySize";
        let bytes = self.run(script).await.as_u64().unwrap();
        assert!(bytes < PAGE_BYTES, "{name}: {bytes} bytes");
        self.run(&self.axe).await;
        for width in WIDTHS {
            self.show_at(width).await;
            let script = "return document.documentElement.scrollWidth";
            let needs = self.run(script).await.as_u64().unwrap();
            assert!(
                needs <= u64::from(width),
                "{name}: {needs} pixels wide at {width}"
            );
            self.check_with_axe(name, width).await;
            self.take_picture(name, width).await;
        }
        self.devtools("Emulation.clearDeviceMetricsOverride", json!({}))
            .await;
        self.let_scripts_run(self.scripts).await;
        self.check_logs(name).await;
    }

    /// WCAG 2.2 AA as far as a program can tell, and what axe-core holds to be good practice.
    async fn check_with_axe(&self, name: &str, width: u32) {
        let script = "const done = arguments[0]; \
            const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']; \
            axe.run({runOnly: {type: 'tag', values: tags}}).then(\
                (found) => done({passes: found.passes.length, violations: found.violations.map((of) => \
                    [of.id, of.help, of.nodes.map((node) => node.html + ' ' + node.failureSummary)])}),\
                (error) => done({error: String(error)}))";
        let found = self.driver.execute_async(script, vec![]).await.unwrap();
        let found = found.json();
        assert!(found["passes"].as_u64() > Some(5), "{name}: {found}");
        assert_eq!(found["violations"], json!([]), "{name} at {width}");
    }

    async fn take_picture(&self, name: &str, width: u32) {
        let whole = json!({"format": "png", "captureBeyondViewport": true});
        let picture = self.devtools("Page.captureScreenshot", whole).await;
        let path = self.pictures.join(format!("{name}-{width}.png"));
        let picture = BASE64_STANDARD.decode(picture["data"].as_str().unwrap());
        fs::write(path, picture.unwrap()).unwrap();
    }

    /// Nothing on the console, and no request to anybody else, since the last look.
    async fn check_logs(&self, name: &str) {
        let here = self.driver.current_url().await.unwrap();
        for entry in self.driver.browser_log().await.unwrap() {
            // A page that answers 404 is a network error to the console, and what the test asked for.
            let is_the_page = entry.source.as_deref() == Some("network")
                && entry.message.starts_with(here.as_str());
            assert!(is_the_page, "{name}: {entry:?}");
        }
        for entry in self.driver.get_log("performance").await.unwrap() {
            let message: Value = serde_json::from_str(&entry.message).unwrap();
            if message["message"]["method"] == "Network.requestWillBeSent" {
                let url = message["message"]["params"]["request"]["url"].as_str();
                let ours = format!("{}/", self.address);
                assert!(url.unwrap().starts_with(&ours), "{name}: {message}");
            }
        }
    }
}

/// Outside the tree.
fn pictures() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(3).unwrap().join("pictures")
}
