// Every page and flow in Debian's chromium, in every look of looks.mjs, against a demo server.
//
//   node run.mjs BINARY [--shots FOLDER] [LOOK…]
//
// A page fails when axe finds anything, or cannot decide something that is not in UNDECIDED; when anything violates its
// content security policy or asks another host; when it scrolls sideways at 320 px or with text of twice the size; when a
// control is too small or the focus cannot be seen. The last line is `browser: N passed, N failed`. With --shots it takes
// pictures for people to look at; a picture of a whole page changes the screen for those after it, so that sizes and
// contrasts that such a run finds wrong may be right.

import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { check, examine, expect, keepShots, shoot, tally } from "./examine.mjs";
import { LOOKS, launch, open } from "./looks.mjs";
import { withOthers } from "./others.mjs";
import { start } from "./server.mjs";

const [binary, ...rest] = process.argv.slice(2);
const at = rest.indexOf("--shots");
const shots = at >= 0 ? rest.splice(at, 2)[1] : null;
if (shots) keepShots(shots);
/** One for each look: their passwords are changed. */
const PEOPLE = ["gkilic", "ajager", "yboiko", "eschroder", "eknight", "mparker", "hperrault", "cperrault", "cchateau"];

const looks = rest.length ? rest : Object.keys(LOOKS);

/** The code of an authenticator app (RFC 6238) at this moment. */
function code(key) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...key.replace(/\s|=/g, "")].map((c) => letters.indexOf(c).toString(2).padStart(5, "0")).join("");
  const secret = Buffer.from(bits.match(/.{8}/g).map((octet) => parseInt(octet, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000)));
  const mac = createHmac("sha1", secret).update(counter).digest();
  const from = mac[19] & 15;
  return String((mac.readUInt32BE(from) & 0x7fffffff) % 1000000).padStart(6, "0");
}

const server = await start(binary);
const browser = await launch();
try {
  for (const look of looks) await walk(look);
  await behaviour();
  await server.stop();
  await withOthers(browser, binary, looks);
} finally {
  await browser.close();
  await server.stop();
}
console.log(`browser: ${tally.passed} passed, ${tally.failed} failed`);
process.exitCode = tally.failed ? 1 : 0;

/** All pages, as a person meets them. */
async function walk(look) {
  const { context, faults } = await open(browser, look, [server.origin]);
  const page = await context.newPage();
  const go = (path) => page.goto(server.origin + path);
  const send = async (selector = "main form button.primary") => {
    await Promise.all([page.waitForEvent("load"), page.click(selector)]);
  };
  const { username, password } = server.admin;

  await go("/sessions");
  await examine(page, look, "sign-in");
  await page.fill("#username", username);
  await page.fill("#password", "not the password");
  await send();
  await check(`refused [${look}] keeps the name, not the password, and puts the cursor there`, async () => {
    expect((await page.inputValue("#username")) === username, "the name is gone");
    expect((await page.inputValue("#password")) === "", "the password is there");
    if (LOOKS[look].javaScriptEnabled !== false) {
      // The cursor is put there when the page is first painted, which may be after it is loaded.
      const there = page.waitForFunction(() => document.activeElement?.id === "password", null, { timeout: 5000 });
      expect(await there.then(() => true, () => false), "the cursor is elsewhere");
    }
  });
  await examine(page, look, "refused");
  await page.fill("#password", password);
  await send();
  await check(`sign-in [${look}] leads to where one wanted`, async () => {
    expect(new URL(page.url()).pathname === "/sessions", page.url());
  });
  await examine(page, look, "sessions");

  // A second browser of the same person is listed, and can be ended from here.
  const other = await open(browser, look, [server.origin]);
  const second = await other.context.newPage();
  await second.goto(server.origin + "/sign-in");
  await second.fill("#username", username);
  await second.fill("#password", password);
  await Promise.all([second.waitForEvent("load"), second.click("main form button.primary")]);
  await go("/sessions");
  await examine(page, look, "two-sessions");
  await check(`sessions [${look}] another one is ended`, async () => {
    await send("td form button");
    expect(await page.locator(".message.ok").isVisible(), "nothing is said");
    await second.goto(server.origin + "/sessions");
    expect(new URL(second.url()).pathname === "/sign-in", second.url());
  });
  await examine(page, look, "ended");
  await other.context.close();

  await go("/sign-out");
  await examine(page, look, "sign-out");
  await send();
  await examine(page, look, "signed-out");

  // Somebody whose password has to be changed.
  const person = PEOPLE[looks.indexOf(look)];
  server.command(["account", "passwd", person, "--password-file", "-"], "nine wooden ladders\n");
  server.command(["account", "force-change", person]);
  await go("/sign-in");
  await page.fill("#username", person);
  await page.fill("#password", "nine wooden ladders");
  await send();
  await examine(page, look, "password");
  await page.fill("#new", "seven copper kettles");
  await page.fill("#again", "something else");
  await send();
  await examine(page, look, "password-refused");
  await page.fill("#new", "seven copper kettles");
  await page.fill("#again", "seven copper kettles");
  await send();
  await examine(page, look, "password-changed");
  await page.fill("#password", "seven copper kettles");
  await send();
  await check(`password [${look}] the new one is good`, async () => {
    expect(new URL(page.url()).pathname === "/sessions", page.url());
  });

  // The second step: set up, asked for, and its recovery codes.
  await send("main a.button");
  await page.locator("summary").first().click();
  await examine(page, look, "enrol");
  await page.fill("#code", "000000");
  await send();
  await examine(page, look, "enrol-refused");
  const key = await page.getAttribute("#key", "data-text");
  await page.fill("#code", code(key));
  await send();
  await examine(page, look, "codes");
  const codes = (await page.locator(".codes li").allTextContents()).map((text) => text.trim());
  if (look === "light") {
    await check("recovery codes on paper", async () => {
      await page.emulateMedia({ media: "print" });
      expect(!(await page.locator(".foot").isVisible()) && (await page.locator(".codes").isVisible()), "print");
      await shoot(page, "codes-print");
      await page.emulateMedia({ media: "screen" });
    });
    await check("recovery codes are kept in a file and copied", async () => {
      const [file] = await Promise.all([page.waitForEvent("download"), page.click("[data-download]")]);
      const text = readFileSync(await file.path(), "utf8");
      expect(codes.every((one) => text.includes(one)) && text.includes(person), text);
      await context.grantPermissions(["clipboard-read", "clipboard-write"]);
      await page.click("[data-copy]");
      expect((await page.evaluate(() => navigator.clipboard.readText())) === codes.join("\n"), "copied");
    });
  }
  await page.check("[name=stored]");
  await send();
  await examine(page, look, "sessions-second");
  await send("header form button");
  await go("/sessions");
  await page.fill("#username", person);
  await page.fill("#password", "seven copper kettles");
  await send();
  await examine(page, look, "factor");
  await page.fill("#code", "000000");
  await send();
  await page.locator("summary").click();
  await examine(page, look, "factor-refused");
  await Promise.all([page.waitForEvent("load"), page.click("details li:first-child a")]);
  await examine(page, look, "recovery");
  await page.fill("#code", codes[0]);
  await send();
  await examine(page, look, "recovery-used");
  await send();
  await check(`factor [${look}] a recovery code is good`, async () => {
    expect(new URL(page.url()).pathname === "/sessions", page.url());
  });

  await page.goto(server.origin + "/assets/0/none");
  await examine(page, look, "missing");
  await check(`[${look}] nothing violated a policy, nothing failed, nothing left this server`, async () => {
    expect(faults.length === 0, faults.join("; "));
  });
  await context.close();
}

/** What is the same in every look. */
async function behaviour() {
  const { context, faults } = await open(browser, "light", [server.origin]);
  const page = await context.newPage();
  await check("the choice of language and colours stays", async () => {
    await page.goto(`${server.origin}/sign-in`);
    await Promise.all([page.waitForEvent("load"), page.click("button[value=de]")]);
    expect((await page.textContent("h1")) === "Anmelden", await page.textContent("h1"));
    expect((await page.getAttribute("html", "lang")) === "de", "lang");
    await Promise.all([page.waitForEvent("load"), page.click("button[value=dark]")]);
    await page.reload();
    expect((await page.textContent("h1")) === "Anmelden", "the language is gone");
    const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(paper === "rgb(12, 16, 21)", `paper: ${paper}`);
  });
  await check("a password is shown and hidden, and sent hidden", async () => {
    await page.fill("#password", "secret");
    await page.click("[data-reveal]");
    expect((await page.getAttribute("#password", "type")) === "text", "hidden");
    await page.click("[data-reveal]");
    expect((await page.getAttribute("#password", "type")) === "password", "shown");
  });
  await check("password managers know the fields, and a pasted password is taken whole", async () => {
    expect((await page.getAttribute("#username", "autocomplete")).split(" ")[0] === "username", "username");
    expect((await page.getAttribute("#password", "autocomplete")) === "current-password", "password");
    await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: server.origin });
    const pasted = `${"long ".repeat(15)}päss phrase`;
    await page.bringToFront();
    await page.fill("#password", "");
    await page.focus("#password");
    await page.evaluate((text) => navigator.clipboard.writeText(text), pasted);
    await page.keyboard.press("Control+V");
    expect((await page.inputValue("#password")) === pasted, await page.inputValue("#password"));
  });
  await check("no other page can hold ours in a frame", async () => {
    const outer = await context.newPage();
    await outer.goto(`${server.origin}/sign-in`);
    const response = await outer.request.get(`${server.origin}/sign-in`);
    const headers = response.headers();
    expect(headers["content-security-policy"].includes("frame-ancestors 'none'"), "frame-ancestors");
    expect(headers["x-frame-options"] === "DENY", "x-frame-options");
    await outer.close();
  });
  await check("behaviour: nothing violated a policy", async () => {
    expect(faults.length === 0, faults.join("; "));
  });
  await context.close();
}

