// npm ldapts against the server: what Node applications bind with. The package is found through NODE_MODULES.
//
// One line per case: `ok NAME` or `not ok NAME: why`.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const modules = process.env.NODE_MODULES;
const require = createRequire(modules ? join(modules, 'index.js') : import.meta.url);
const ldapts = require('ldapts');
const { Attribute, Change, Client, EqualityFilter } = ldapts;

const server = JSON.parse(readFileSync(process.argv[2] ?? process.env.ROLLBOOK_DEMO, 'utf8'));
const base = server.base_dn;
const home = `ou=ldapts,${base}`;
const ca = [readFileSync(server.ca_file)];
let failed = 0;

async function test(name, body) {
  try {
    await body();
    console.log(`ok ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok ${name}: ${String(error?.stack ?? error).replaceAll('\n', ' | ').slice(0, 800)}`);
  }
}

function equal(got, wanted, what = 'value') {
  const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${what}: got ${a}, wanted ${b}`);
}

async function refused(code, promise) {
  try {
    await promise;
  } catch (error) {
    equal(error.code, code, `code of ${error.name}`);
    return;
  }
  throw new Error(`admitted; wanted ${code}`);
}

function client(url = server.ldap) {
  const tls = url.startsWith('ldaps') ? { tlsOptions: { ca } } : {};
  return new Client({ url, timeout: 20000, connectTimeout: 10000, ...tls });
}

async function bound(account, url) {
  const made = client(url);
  await made.bind(account.dn, account.password);
  return made;
}

await test('bind: plain, LDAPS, StartTLS', async () => {
  await (await bound(server.service)).unbind();
  await (await bound(server.service, server.ldaps)).unbind();
  const upgraded = client();
  await upgraded.startTLS({ ca });
  await upgraded.bind(server.service.dn, server.service.password);
  await upgraded.unbind();
});

await test('bind: wrong password, unknown name', async () => {
  const one = client();
  await refused(49, one.bind(server.service.dn, 'wrong'));
  await refused(49, one.bind(`uid=nobody,ou=people,${base}`, 'wrong'));
  await one.bind(server.service.dn, server.service.password);
  await one.unbind();
});

const reader = await bound(server.service);
await test('search: filter objects, attributes, octets', async () => {
  const filter = new EqualityFilter({ attribute: 'uid', value: 'svc-wiki' });
  const { searchEntries } = await reader.search(base, { scope: 'sub', filter, attributes: ['uid', 'objectClass'] });
  equal(searchEntries.length, 1);
  equal(searchEntries[0].uid, 'svc-wiki');
});

await test('search: paged, every entry once', async () => {
  const { searchEntries } = await reader.search(base, { scope: 'sub', filter: '(objectClass=inetOrgPerson)', attributes: ['1.1'], paged: { pageSize: 40 } });
  const names = new Set(searchEntries.map((entry) => entry.dn));
  equal(names.size, searchEntries.length, 'entries');
  if (names.size < 250) throw new Error(`${names.size} entries`);
});

await test('search: paged, as a generator', async () => {
  let pages = 0;
  for await (const page of reader.searchPaginated(`ou=people,${base}`, { scope: 'one', filter: '(uid=*)', attributes: ['uid'], paged: { pageSize: 50 } })) {
    if (page.searchEntries.length > 50) throw new Error(`a page of ${page.searchEntries.length}`);
    pages += 1;
  }
  if (pages < 3) throw new Error(`${pages} pages`);
});

await test('search: ten at once on one connection', async () => {
  const answers = await Promise.all(Array.from({ length: 10 }, (_, at) => reader.search(base, { scope: 'sub', filter: `(employeeNumber=${10000 + at})`, attributes: ['employeeNumber'] })));
  equal(answers.map(({ searchEntries }) => searchEntries[0]?.employeeNumber), Array.from({ length: 10 }, (_, at) => String(10000 + at)));
});

await test('search: an absent base is 32', () => refused(32, reader.search(`ou=nowhere,${base}`, { scope: 'base' })));
await test('write: a reader may not (50)', () => refused(50, reader.add(home, { objectClass: 'organizationalUnit', ou: 'ldapts' })));

const admin = await bound(server.admin);
const one = `uid=ts-one,${home}`;
await test('write: add, modify, compare', async () => {
  await admin.add(home, { objectClass: 'organizationalUnit', ou: 'ldapts' });
  await admin.add(one, { objectClass: ['inetOrgPerson'], uid: 'ts-one', cn: 'Ts Ünal', sn: 'Ünal', mail: 'ts-one@ldapts.example' });
  await admin.modify(one, [
    new Change({ operation: 'add', modification: new Attribute({ type: 'title', values: ['Cook'] }) }),
    new Change({ operation: 'replace', modification: new Attribute({ type: 'mail', values: ['ts@ldapts.example'] }) }),
  ]);
  equal([await admin.compare(one, 'title', 'COOK'), await admin.compare(one, 'title', 'no')], [true, false]);
  const { searchEntries } = await admin.search(one, { scope: 'base', attributes: ['sn', 'mail', 'title'] });
  equal([searchEntries[0].sn, searchEntries[0].mail, searchEntries[0].title], ['Ünal', 'ts@ldapts.example', 'Cook']);
});

await test('write: rename', async () => {
  await admin.add(`cn=first,${home}`, { objectClass: 'device', cn: 'first' });
  await admin.modifyDN(`cn=first,${home}`, 'cn=second');
  await refused(32, admin.search(`cn=first,${home}`, { scope: 'base' }));
});

await test('password: set by an administrator, changed by the owner through the extended operation', async () => {
  const [first, second] = ['Cedar-Bridge-51-first', 'Cedar-Bridge-52-second'];
  await admin.exop('1.3.6.1.4.1.4203.1.11.1', passwordModify(one, undefined, first));
  const owner = client();
  await owner.bind(one, first, [new ldapts.Control('1.3.6.1.4.1.42.2.27.8.5.1')]);
  await owner.exop('1.3.6.1.4.1.4203.1.11.1', passwordModify(one, first, second));
  await owner.unbind();
  await (await bound({ dn: one, password: second })).unbind();
  await refused(49, client().bind(one, first));
});

await test('delete: everything that was made', async () => {
  for (const dn of [`cn=second,${home}`, one, home]) await admin.del(dn);
  await refused(32, admin.search(home, { scope: 'base' }));
});

// RFC 3062 §2: SEQUENCE { [0] userIdentity, [1] oldPasswd, [2] newPasswd }, all shorter than 128 octets.
function passwordModify(identity, old, fresh) {
  const parts = [identity, old, fresh].flatMap((text, tag) => (text === undefined ? [] : [Buffer.from([0x80 + tag, Buffer.byteLength(text)]), Buffer.from(text)]));
  const body = Buffer.concat(parts);
  return Buffer.concat([body.length < 128 ? Buffer.from([0x30, body.length]) : Buffer.from([0x30, 0x81, body.length]), body]);
}

await Promise.all([reader.unbind(), admin.unbind()]);
console.log('# end');
process.exit(failed ? 1 : 0);
