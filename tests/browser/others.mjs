// Sign-ins in which others take part: an application of somebody else, on another origin, and other providers. The server
// has a theme here, with an ink that cannot be read as it is.

import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { application, certificates, providers } from "./beside.mjs";
import { check, examine, expect } from "./examine.mjs";
import { open } from "./looks.mjs";
import { start } from "./server.mjs";

/** One for each look: their accounts are linked. */
const PEOPLE = ["aalvarez", "itkachuk", "sturner", "hfournier", "rnunez", "ojennings", "spappas", "dbaker", "lhughes"];
/** Of no known family, and long: what it is called here must break nothing. */
const PROVIDER = "Meridian Manufacturing Staff";
const THEME = "Meridian Werke";
/** The theme of one tenant, whose application is its own. */
const TENANT = { name: "aurora", theme: "Aurora Reederei", accent: "#0b6e4f", client: "aurora-log" };
const LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 28 28"><circle cx="14" cy="14" r="13" fill="#e0a800"/></svg>';

/** Starts everybody, walks in every look, and ends everybody. */
export async function withOthers(browser, binary, looks) {
  const folder = mkdtempSync(join(tmpdir(), "rollbook-beside-"));
  const started = [];
  const running = async (one) => {
    started.unshift(await one);
    return started[0];
  };
  try {
    const ca = certificates(folder);
    const server = await running(start(binary, [`oidc.ca_file=${ca}`, `web.themes=${themes(folder)}`]));
    const app = await running(application(folder));
    const mimics = await running(providers(folder, server.oidc.issuer));
    const client = register(server, app);
    for (const [name, policy] of [["plain", "prompt"], ["plain-1", "deny"]]) connect(server, mimics, folder, name, policy);
    for (const look of looks) {
      const all = { browser, server, app, mimics, client, look, person: PEOPLE[looks.indexOf(look)] };
      await consent(all);
      await tenant(all);
      await provider(all);
      await trial(all);
    }
  } finally {
    for (const one of started) await one.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function themes(folder) {
  const out = join(folder, "themes");
  mkdirSync(out);
  writeFileSync(join(out, "logo.svg"), LOGO);
  writeFileSync(join(out, "all.toml"), `name = "${THEME}"\naccent = "#ffd100"\nlogo = "logo.svg"\n`);
  writeFileSync(join(out, "aurora.toml"), `tenant = "${TENANT.name}"\nname = "${TENANT.theme}"\naccent = "${TENANT.accent}"\n`);
  return out;
}

/** The application's client identifier. */
function register(server, app) {
  const words = ["application", "create", "Wandkalender", "--public", "--client-id", "calendar", "--redirect-uri", `${app.origin}/arrived`,
    ...["openid", "profile", "email", "offline_access"].flatMap((scope) => ["--scope", scope])];
  server.command(words);
  server.command(["application", "create", "Logbuch", "--public", "--tenant", TENANT.name, "--client-id", TENANT.client, "--redirect-uri", `${app.origin}/arrived`,
    "--scope", "openid"]);
  return "calendar";
}

function connect(server, mimics, folder, name, policy) {
  const { client_id: id, client_secret: secret, issuer } = mimics.plain;
  const file = join(folder, "secret");
  writeFileSync(file, secret, { mode: 0o600 });
  server.command(["provider", "add", "oidc", name, "--client-id", id, "--client-secret-file", file, "--issuer", issuer, "--link", policy,
    "--display-name", name === "plain" ? PROVIDER : "Somebody else"]);
  server.command(["provider", "enable", name]);
}

/** A browser of somebody, and what one does with it. */
async function visit({ browser, server, app, mimics, look }) {
  const { context, faults } = await open(browser, look, [server.oidc.issuer, app.origin, mimics.plain.issuer]);
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const press = (selector) => Promise.all([page.waitForEvent("load"), page.click(selector)]);
  return {
    context,
    page,
    press,
    go: (path) => page.goto(server.oidc.issuer + path),
    async enter(person) {
      await page.fill("#username", person);
      await page.fill("#password", `Rollbook-demo-${person}`);
      await press("main form button.primary");
    },
    by: (name) => press(`main a[href^="/sso/${name}?"]`),
    at: () => new URL(page.url()),
    async over(what) {
      await check(`${what} [${look}] nothing violated a policy, nothing failed, nothing went where it should not`, async () => {
        expect(faults.length === 0, faults.join("; "));
      });
      await context.close();
    },
  };
}

/** Where an application sends the browser. */
function request({ app, client }, more = {}) {
  const verifier = randomBytes(32).toString("base64url");
  const asked = new URLSearchParams({
    client_id: client, response_type: "code", redirect_uri: `${app.origin}/arrived`, scope: "openid profile email offline_access", state: "of-the-calendar",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256", ...more,
  });
  return `/oauth2/authorize?${asked}`;
}

/** Whether the browser is at the application, with this in its address. */
function arrived({ app }, at, name) {
  expect(at.origin === app.origin && at.pathname === "/arrived", `at ${at}`);
  expect(at.searchParams.get("state") === "of-the-calendar" && at.searchParams.has(name), `with ${at.search}`);
}

/** An application of somebody else: sign-in, consent, and its own origin at the end. */
async function consent(all) {
  const { look, person } = all;
  const { page, press, go, enter, at, over } = await visit(all);
  await go(request(all, { prompt: "consent" }));
  await examine(page, look, "app-sign-in");
  await check(`app-sign-in [${look}] wears the theme`, async () => {
    expect((await page.textContent(".brand")).trim() === THEME, await page.textContent(".brand"));
    const links = await page.$$eval('link[rel="stylesheet"]', (all) => all.length);
    expect(links === 2, `${links} style sheets`);
  });
  await enter(person);
  await examine(page, look, "consent");
  await check(`consent [${look}] names the application and where it is`, async () => {
    const text = await page.textContent("main");
    expect(text.includes("Wandkalender") && text.includes("localhost"), text);
  });
  await check(`consent [${look}] a refusal ends at the application`, async () => {
    await press("button[value=deny]");
    arrived(all, at(), "error");
  });
  await check(`consent [${look}] authorize, sign-in, consent, and the application on its own origin`, async () => {
    await go(request(all, { prompt: "login consent" }));
    await enter(person);
    await press("button[value=allow]");
    arrived(all, at(), "code");
  });
  await check(`consent [${look}] is remembered: the sign-in form itself ends at the application`, async () => {
    await go(request(all, { prompt: "login", scope: "openid profile email" }));
    await enter(person);
    arrived(all, at(), "code");
  });
  await over("consent");
  if (look === "light") await stopped(all);
}

/** An application of a tenant: its people see the tenant's theme, the others' the common one. */
async function tenant(all) {
  const { look } = all;
  const { page, go, over } = await visit(all);
  const worn = async () => ({
    brand: (await page.textContent(".brand")).trim(),
    accent: await page.$eval("main form button.primary", (button) => getComputedStyle(button).backgroundColor),
    logo: await page.getAttribute(".brand img", "src"),
  });
  await go(request(all));
  const common = await worn();
  await go(request({ ...all, client: TENANT.client }, { scope: "openid" }));
  const own = await worn();
  await examine(page, look, "tenant-sign-in");
  await check(`tenant-sign-in [${look}] wears the tenant's theme`, async () => {
    expect(own.brand === TENANT.theme && common.brand === THEME, `${own.brand}, ${common.brand}`);
    // Where people choose the colours themselves, no theme has a say.
    expect((own.accent === common.accent) === (look === "forced"), `${own.accent} and ${common.accent}`);
    expect(own.logo !== common.logo, `both ${own.logo}`);
  });
  await over("tenant-sign-in");
}

/** That these checks would see it: with the policy of the other pages, Chromium stops the form on its way to the application. */
async function stopped(all) {
  const { page, go, at, context } = await visit(all);
  await page.route("**/sign-in?*", async (route) => {
    if (route.request().method() !== "GET") return route.continue();
    const response = await route.fetch({ maxRedirects: 0 });
    const headers = response.headers();
    headers["content-security-policy"] += "; form-action 'self'";
    return route.fulfill({ response, headers });
  });
  await go(request(all, { scope: "openid profile email" }));
  // What a redirect leads to passes the route by.
  await page.reload();
  await check("form-action on the sign-in page would stop the form", async () => {
    await page.fill("#username", all.person);
    await page.fill("#password", `Rollbook-demo-${all.person}`);
    const told = page.waitForEvent("console", (message) => /form-action/.test(message.text()));
    await page.click("main form button.primary", { noWaitAfter: true });
    await told;
    expect(at().origin !== all.app.origin, `at ${at()}`);
  });
  await context.close();
}

/** Another provider: the button, the question whether to link, what is said when it fails. */
async function provider(all) {
  const { look, person, mimics } = all;
  const shown = `${person}.of.the.printing.works@staff.meridian-manufacturing.example`;
  await mimics.set("plain", { person: { sub: `sub-of-${person}`, name: "Somebody", preferred_username: shown, email: shown, email_verified: true }, lie: "" });
  if (look === "light") {
    await check("link [light] who says no is signed in by the password, and nothing is linked", async () => {
      const { page, go, enter, by, press, at, over } = await visit(all);
      await go("/sign-in");
      await by("plain");
      await enter(person);
      await press("button[value=no]");
      expect(at().pathname === "/sessions" && !(await page.textContent("tbody")).includes(PROVIDER), page.url());
      await over("link-no");
    });
  }
  const first = await visit(all);
  await first.go("/sign-in");
  await examine(first.page, look, "ways");
  await first.by("plain");
  await examine(first.page, look, "link-first");
  await first.enter(person);
  await check(`link [${look}] is asked, with both names`, async () => {
    expect(first.at().pathname === "/sso/plain/link", first.page.url());
    const text = await first.page.textContent("dl.facts");
    expect(text.includes(shown) && text.includes(person), text);
  });
  await examine(first.page, look, "link");
  await first.press("main form button.primary");
  await examine(first.page, look, "linked");
  await first.by("plain");
  await check(`link [${look}] is good for a sign-in`, async () => {
    expect(first.at().pathname === "/sessions", first.page.url());
    expect((await first.page.textContent("tbody")).includes(PROVIDER), "the page of sessions does not say how");
  });
  await examine(first.page, look, "sessions-upstream");
  await check(`provider [${look}] from an application through the provider and back to the application's origin`, async () => {
    await first.go(request(all, { prompt: "login", scope: "openid profile email" }));
    await first.by("plain");
    arrived(all, first.at(), "code");
  });
  await first.over("provider");

  const stranger = await visit(all);
  await stranger.go("/sign-in");
  await stranger.by("plain-1");
  await check(`upstream-refused [${look}] nobody is in`, async () => {
    expect(stranger.at().pathname === "/sso/plain-1/callback", stranger.page.url());
  });
  await examine(stranger.page, look, "upstream-refused");
  await stranger.over("upstream-refused");

  await mimics.set("plain", { lie: "denied" });
  const denied = await visit(all);
  await denied.go("/sign-in");
  await denied.by("plain");
  await check(`upstream-failed [${look}] the password is there`, async () => {
    expect(denied.at().pathname === "/sign-in" && (await denied.page.locator(".message").textContent()).includes(PROVIDER), denied.page.url());
  });
  await examine(denied.page, look, "upstream-failed");
  await denied.over("upstream-failed");
  await mimics.set("plain", { lie: "" });
}

/** What an administrator sees who tries a provider. */
async function trial(all) {
  const { look, mimics } = all;
  for (const [name, lie] of [["trial", ""], ["trial-refused", "wrong nonce"]]) {
    await mimics.set("plain", { lie });
    const { page, over } = await visit(all);
    const { address, ended } = await tried(all.server);
    await page.goto(address);
    await examine(page, look, name);
    await check(`${name} [${look}] tells the command as well`, async () => {
      const { code, told } = await ended;
      expect(lie ? code !== 0 && told.includes("R4") : code === 0 && told.includes("sub-of-"), `${code}: ${told}`);
    });
    await over(name);
  }
  await mimics.set("plain", { lie: "" });
}

/** Begins a trial: the address to open, and how the command ends. */
async function tried(server) {
  const command = server.begin(["provider", "test", "plain", "--json"]);
  let told = "";
  command.stdout.on("data", (text) => { told += text; });
  const ended = new Promise((resolve) => { command.on("close", (code) => resolve({ code, told })); });
  const address = await new Promise((resolve, reject) => {
    let text = "";
    command.on("exit", (code) => reject(new Error(`provider test ended with ${code}: ${text}`)));
    command.stderr.on("data", (part) => {
      text += part;
      const found = text.match(/https:\S+(?=\s)/);
      if (found) resolve(found[0]);
    });
  });
  return { address, ended };
}
