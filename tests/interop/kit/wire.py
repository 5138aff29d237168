"""LDAP as octets: just enough BER to send any request, also those that client libraries refuse to send, and to read the answers.

Requests are built by functions that return the protocolOp; a `Client` sends one and collects its answer.
"""

import socket

BIND, UNBIND, SEARCH, MODIFY, ADD, DELETE, MODIFY_DN, COMPARE, EXTENDED = 0x60, 0x42, 0x63, 0x66, 0x68, 0x4A, 0x6C, 0x6E, 0x77
ENTRY, DONE, REFERENCE, EXTENDED_ANSWER = 0x64, 0x65, 0x73, 0x78
CLOSED = -1
TIMEOUT_SECONDS = 60


def tlv(tag, *parts):
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def octets(value, tag=0x04):
    return tlv(tag, value if isinstance(value, bytes) else value.encode())


def integer(value, tag=0x02):
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def boolean(value, tag=0x01):
    return tlv(tag, b"\xff" if value else b"\x00")


def filter_octets(f):
    """A filter as nested tuples: ("and"|"or", …), ("not", f), ("=", a, v), (">=", a, v), ("<=", a, v), ("~=", a, v), ("present", a),
    ("sub", a, initial, (any, …), final), (":=", rule, a, v, dn)."""
    kind = f[0]
    if kind in ("and", "or"):
        return tlv(0xA0 if kind == "and" else 0xA1, *(filter_octets(part) for part in f[1:]))
    if kind == "not":
        return tlv(0xA2, filter_octets(f[1]))
    if kind == "present":
        return octets(f[1], 0x87)
    if kind == "sub":
        _, attribute, initial, middle, final = f
        parts = [octets(initial, 0x80)] if initial is not None else []
        parts += [octets(part, 0x81) for part in middle]
        parts += [octets(final, 0x82)] if final is not None else []
        return tlv(0xA4, octets(attribute), tlv(0x30, *parts))
    if kind == ":=":
        _, rule, attribute, value, over_dn = f
        parts = [octets(rule, 0x81)] if rule is not None else []
        parts += [octets(attribute, 0x82)] if attribute is not None else []
        parts += [octets(value, 0x83)] + ([boolean(True, 0x84)] if over_dn else [])
        return tlv(0xA9, *parts)
    return tlv({"=": 0xA3, ">=": 0xA5, "<=": 0xA6, "~=": 0xA8}[kind], octets(f[1]), octets(f[2]))


def filter_text(f):
    """RFC 4515 text, for people."""
    kind = f[0]
    if kind in ("and", "or"):
        return "(" + ("&" if kind == "and" else "|") + "".join(map(filter_text, f[1:])) + ")"
    if kind == "not":
        return f"(!{filter_text(f[1])})"
    if kind == "present":
        return f"({f[1]}=*)"
    if kind == "sub":
        _, attribute, initial, middle, final = f
        return f"({attribute}=" + "*".join([escaped(initial or b""), *map(escaped, middle), escaped(final or b"")]) + ")"
    if kind == ":=":
        _, rule, attribute, value, over_dn = f
        return f"({attribute or ''}{':dn' if over_dn else ''}{':' + rule if rule else ''}:={escaped(value)})"
    return f"({f[1]}{kind}{escaped(f[2])})"


def escaped(value):
    return "".join(chr(b) if 32 <= b < 127 and b not in b"*()\\" else f"\\{b:02x}" for b in value)


def search(base, scope=2, f=("present", "objectClass"), attributes=(), deref=0, size=0, time=0, types_only=False):
    return tlv(SEARCH, octets(base), integer(scope, 0x0A), integer(deref, 0x0A), integer(size), integer(time), boolean(types_only),
               filter_octets(f), tlv(0x30, *map(octets, attributes)))


def compare(dn, attribute, value):
    return tlv(COMPARE, octets(dn), tlv(0x30, octets(attribute), octets(value)))


def attribute_list(attributes):
    return tlv(0x30, *(tlv(0x30, octets(name), tlv(0x31, *map(octets, values))) for name, values in attributes))


def add(dn, attributes):
    return tlv(ADD, octets(dn), attribute_list(attributes))


def modify(dn, changes):
    return tlv(MODIFY, octets(dn), tlv(0x30, *(tlv(0x30, integer(kind, 0x0A), tlv(0x30, octets(name), tlv(0x31, *map(octets, values))))
                                               for kind, name, values in changes)))


def modify_dn(dn, new_rdn, delete_old, superior=None):
    return tlv(MODIFY_DN, octets(dn), octets(new_rdn), boolean(delete_old), *([octets(superior, 0x80)] if superior is not None else []))


def delete(dn):
    return octets(dn, DELETE)


def elements(data):
    """[(tag, body)] of a sequence's content."""
    out, at = [], 0
    while at < len(data):
        tag, start, end = header(data, at)
        out.append((tag, data[start:end]))
        at = end
    return out


def header(data, at):
    tag, size = data[at], data[at + 1]
    start = at + 2
    if size & 0x80:
        width = size & 0x7F
        size = int.from_bytes(data[start:start + width], "big")
        start += width
    return tag, start, start + size


class Answer:
    """What came back: the result code (CLOSED when the connection went without one), the matched DN, entries in their order, and the
    values of the response controls by OID."""

    def __init__(self, code, matched="", text="", entries=(), closed=False, controls=()):
        self.code, self.matched, self.text, self.entries, self.closed = code, matched, text, list(entries), closed
        self.controls = dict(controls)


PAGED = "1.2.840.113556.1.4.319"


def paged_control(size, cookie, critical=True):
    return tlv(0x30, octets(PAGED), boolean(critical), octets(tlv(0x30, integer(size), octets(cookie))))


def cookie_of(answer):
    """The cookie of a paged answer; None without the response control."""
    value = answer.controls.get(PAGED)
    return elements(elements(value)[0][1])[1][1] if value is not None else None


def read_controls(rest):
    out = {}
    for tag, body in rest:
        if tag == 0xA0:
            for _, control in elements(body):
                parts = elements(control)
                out[parts[0][1].decode()] = next((v for t, v in parts[1:] if t == 0x04), b"")
    return out


class Client:
    """One connection. After a Notice of Disconnection or a loss the next request opens a new one and binds again."""

    def __init__(self, host, port, dn, password):
        self.address, self.dn, self.password = (host, port), dn, password
        self.socket = None

    def call(self, operation, *controls):
        if self.socket is None:
            self._open()
        return self._call(operation, *controls)

    def pages(self, operation, size):
        """A search page by page: one answer with all entries; a page that is too long, or short and not the last, is code -2."""
        entries, cookie = [], b""
        while True:
            answer = self.call(operation, paged_control(size, cookie))
            entries += answer.entries
            cookie = cookie_of(answer)
            if len(answer.entries) > size or (cookie and len(answer.entries) < size) or (answer.code == 0 and cookie is None):
                return Answer(-2, text=f"a page of {len(answer.entries)} of {size}, cookie {cookie!r}", entries=entries)
            if not cookie:
                return Answer(answer.code, answer.matched, answer.text, entries)

    def close(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def _open(self):
        self.socket = socket.create_connection(self.address, timeout=TIMEOUT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer, self.next_id = b"", 1
        bound = self._call(tlv(BIND, integer(3), octets(self.dn), octets(self.password, 0x80)))
        if bound.code != 0:
            raise RuntimeError(f"bind as {self.dn}: {bound.code} {bound.text}")

    def _call(self, operation, *controls):
        number, self.next_id = self.next_id, self.next_id + 1
        entries = []
        try:
            self.socket.sendall(tlv(0x30, integer(number), operation, *([tlv(0xA0, *controls)] if controls else [])))
            while True:
                answered, tag, body, rest = self._message()
                if answered == 0:
                    self.close()
                    code, matched, text = result(body)
                    return Answer(code, matched, text, entries, closed=True)
                if answered != number:
                    raise RuntimeError(f"an answer to {answered}, asked {number}")
                if tag == ENTRY:
                    name, attributes = (part for _, part in elements(body))
                    entries.append((name.decode(), [(a[0][1].decode(), [v for _, v in elements(a[1][1])])
                                                    for a in (elements(part) for _, part in elements(attributes))]))
                elif tag == REFERENCE:
                    entries.append(("(reference)", []))
                else:
                    code, matched, text = result(body)
                    return Answer(code, matched, text, entries, controls=read_controls(rest))
        except ConnectionError:
            self.close()
            return Answer(CLOSED, entries=entries, closed=True)

    def _message(self):
        while True:
            if len(self.buffer) >= 8:
                _, start, end = header(self.buffer, 0)
                if len(self.buffer) >= end:
                    (_, number), (tag, body), *rest = elements(self.buffer[start:end])
                    self.buffer = self.buffer[end:]
                    return int.from_bytes(number, "big"), tag, body, rest
            data = self.socket.recv(1 << 16)
            if not data:
                raise ConnectionError("closed by the server")
            self.buffer += data


def result(body):
    parts = elements(body)
    return int.from_bytes(parts[0][1], "big"), parts[1][1].decode(errors="replace"), parts[2][1].decode(errors="replace")
