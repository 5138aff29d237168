// The ways in which every page is looked at, and the browser that looks.

import { chromium } from "playwright-core";

/** Each name with the options of a browser context. */
export const LOOKS = {
  light: { viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  phone: { viewport: { width: 320, height: 800 }, colorScheme: "light", hasTouch: true, isMobile: true },
  "phone-dark": { viewport: { width: 320, height: 800 }, colorScheme: "dark", hasTouch: true, isMobile: true },
  "no-script": { viewport: { width: 1280, height: 900 }, colorScheme: "light", javaScriptEnabled: false },
  forced: { viewport: { width: 1280, height: 900 }, colorScheme: "dark", forcedColors: "active", reducedMotion: "reduce" },
  german: { viewport: { width: 320, height: 800 }, colorScheme: "light", locale: "de-DE" },
};

/** Debian's chromium, quiet: nothing is asked of any other host. */
export function launch() {
  return chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync",
    ],
  });
}

/** A context in which every violation of the content security policy, every error of a page and every request to an origin
 * that is not of `known` is kept. */
export async function open(browser, look, known) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", ...LOOKS[look] });
  const faults = [];
  context.on("console", (message) => {
    const text = message.text();
    // A refused form is answered 403 or 422 on purpose.
    if (/Failed to load resource: the server responded with a status of (4\d\d|503)/.test(text)) return;
    if (message.type() === "error" || /Content Security Policy|Trusted Type/i.test(text)) faults.push(text);
  });
  context.on("weberror", (error) => faults.push(String(error.error())));
  context.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol !== "blob:" && protocol !== "data:" && !known.includes(origin)) faults.push(`left this server: ${request.url()}`);
  });
  return { context, faults };
}
