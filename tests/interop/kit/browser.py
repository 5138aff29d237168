"""A few lines of browser over requests: cookies, redirects one by one, forms. One cookie jar for 127.0.0.1, as browsers have it: ports do
not keep cookies apart."""

import html
import re
from urllib.parse import urljoin, urlsplit

import requests

MOST_HOPS = 20


def origin(url):
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class Form:
    """A form of a page: where it goes, and what it holds already."""

    def __init__(self, page, url, action):
        found = [f for f in re.findall(r"<form.*?</form>", page, re.S) if action in re.match(r"<form[^>]*>", f).group(0)]
        if not found:
            raise AssertionError(f"no form for {action} at {url}: {text(page)[:300]}")
        whole = found[0]
        target = re.search(r'action="([^"]*)"', whole)
        self.url = urljoin(url, html.unescape(target.group(1))) if target else url
        self.fields = {}
        for tag in re.findall(r"<input[^>]*>", whole):
            has = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
            if has.get("name") and has.get("type") not in ("submit", "checkbox", "radio"):
                self.fields[has["name"]] = html.unescape(has.get("value", ""))


def text(page):
    """What a person reads of a page."""
    page = re.sub(r"<(script|style).*?</\1>", " ", page, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


class Page:
    """`seen`: the addresses that led here; `requests`: what the servers call these requests."""

    def __init__(self, answer, seen, requests_of=()):
        self.status, self.url, self.body, self.headers, self.seen = answer.status_code, answer.url, answer.text, answer.headers, seen
        self.requests = dict(requests_of)

    def form(self, action):
        return Form(self.body, self.url, action)

    def json(self):
        import json

        return json.loads(self.body)


class Browser:
    """`ca` is a file with all certificates that it trusts; `person` holds `username` and `password`."""

    def __init__(self, ca, person):
        self.session = requests.Session()
        # The environment's certificates would be believed before ours.
        self.session.trust_env = False
        self.session.verify = ca
        self.person = person
        self.entered = 0  # how often the sign-in form was filled in

    def step(self, url, data=None, headers=None, site="same-origin"):
        """One request, no redirect followed. `site`: whether another server has sent it here; ports make origins, not sites."""
        given = {"Accept": "text/html,*/*;q=0.8", "Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document",
                 **(headers or {})}
        if data is not None:
            given["Origin"] = origin(url)
        return self.session.request("GET" if data is None else "POST", url, data=data, headers=given, allow_redirects=False, timeout=30)

    def go(self, url, data=None, headers=None, until=None):
        """Follows redirects to a page. With `until`, stops before an address that begins so, and gives it as a page without a body."""
        seen, numbers, site = [], [], "same-origin"
        for _ in range(MOST_HOPS):
            if until and url.startswith(until):
                left = requests.Response()
                left.url, left.status_code, left._content = url, 0, b""
                return Page(left, seen, numbers)
            if seen and origin(seen[-1]) != origin(url):
                site = "same-site"
            answer = self.step(url, data, headers, site)
            seen.append(url)
            numbers.append((url, answer.headers.get("x-request-id")))
            if answer.is_redirect:
                url, data, headers = urljoin(url, answer.headers["location"]), None, None
                continue
            return Page(answer, seen, numbers)
        raise AssertionError(f"redirects without end: {seen[-4:]}")

    def fill(self, page, action, until=None, **fields):
        """Sends a form of the page."""
        form = page.form(action)
        return self.go(form.url, {**form.fields, **fields}, until=until)

    def enter(self, url, until=None):
        """Goes to an address and signs in on the way, where it is asked to."""
        page = self.go(url, until=until)
        if page.status == 200 and 'action="/sign-in"' in page.body:
            self.entered += 1
            page = self.fill(page, "/sign-in", until=until, username=self.person["username"], password=self.person["password"])
        return page

    def drop(self, *prefixes):
        """Forgets cookies whose names begin so."""
        for cookie in list(self.session.cookies):
            if cookie.name.startswith(prefixes):
                self.session.cookies.clear(cookie.domain, cookie.path, cookie.name)
