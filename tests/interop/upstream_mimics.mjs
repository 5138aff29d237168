// Providers that people sign in at for us, made of npm oidc-provider: one like Entra (tenants, templated issuer, tid and oid, guests, group
// overage), one like Google (hd, email_verified), one plain, one that lies. HTTPS on free ports of the loopback, nothing on disk.
//
// node upstream_mimics.mjs TLS-FOLDER RETURN-ADDRESS-BEFORE-NAME   (such as https://127.0.0.1:3892/sso/)
//
// Prints one line of JSON: for each mimic its address and issuer, and the client. Whoever comes to a sign-in page there is the person that was
// set last, without a question. Set by POST to /control of a mimic, JSON: {person: {...claims}, tenant, lie, prompt}. GET /control tells what
// was asked: {authorize: {...}, tokens: N}.
import { createServer } from 'node:https';
import { createHmac, createSign, generateKeyPairSync, webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

// What Node.js 18 has under another name, or not yet.
globalThis.crypto ??= webcrypto;
URL.parse ??= (...given) => (URL.canParse(...given) ? new URL(...given) : null);
const require = createRequire(pathToFileURL(`${process.env.NODE_MODULES}/index.js`));
const { default: Provider } = await import(pathToFileURL(require.resolve('oidc-provider')).href);
const [, , tls, back] = process.argv;
const certificate = { cert: readFileSync(`${tls}/leaf.pem`), key: readFileSync(`${tls}/leaf.key`) };

const CLIENT = { client_id: 'rollbook', client_secret: 'a-secret-between-rollbook-and-the-mimic' };
const TENANT = 'f0000000-0000-4000-8000-00000000000a';
const STRANGER = 'f0000000-0000-4000-8000-00000000000b';
const OWN_CLAIMS = ['sub', 'tid', 'oid', 'idp', 'acct', 'ver', 'hd', 'roles', 'groups', '_claim_names', '_claim_sources', 'xms_edov', 'amr', 'acr', 'nbf'];

const newKey = (kid) => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { kid, privateKey, publicKey, jwk: { ...privateKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' } };
};

const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const decode = (part) => JSON.parse(Buffer.from(part, 'base64url').toString());

function signed(header, claims, key) {
  const input = `${encode(header)}.${encode(claims)}`;
  if (header.alg === 'none') return `${input}.`;
  if (header.alg.startsWith('HS')) return `${input}.${createHmac(`sha${header.alg.slice(2)}`, key).update(input).digest('base64url')}`;
  return `${input}.${createSign('RSA-SHA256').update(input).sign(key, 'base64url')}`;
}

// One provider: its server, its person, its lies.
class Mimic {
  constructor(name, options = {}) {
    Object.assign(this, { name, options, person: { sub: 'nobody' }, lie: '', seen: { authorize: {}, tokens: 0, keys: 0 }, providers: new Map() });
    this.keys = [newKey(`${name}-1`)];
    this.server = createServer(certificate, (request, response) => this.take(request, response).catch((error) => {
      console.error(name, error);
      response.writeHead(500).end();
    }));
  }

  async listen() {
    await new Promise((done) => { this.server.listen(0, '127.0.0.1', done); });
    this.address = `https://127.0.0.1:${this.server.address().port}`;
    this.make();
    return { name: this.name, address: this.address, issuer: this.issuerOf(this.options.tenants?.[0]), ...CLIENT };
  }

  issuerOf(tenant) {
    return tenant ? `${this.address}/${tenant}/v2.0` : this.address;
  }

  // The providers of oidc-provider behind this one: one for each tenant.
  make() {
    for (const tenant of this.options.tenants ?? ['']) {
      const issuer = this.issuerOf(tenant);
      const provider = new Provider(issuer, {
        clients: [{
          ...CLIENT, redirect_uris: ['', '-all', '-1', '-2', '-3'].map((more) => `${back}${this.name}${more}/callback`), response_types: ['code'],
          grant_types: ['authorization_code', 'refresh_token'], token_endpoint_auth_method: this.options.method ?? 'client_secret_basic',
        }],
        jwks: { keys: this.keys.map((key) => key.jwk) },
        cookies: { keys: ['mimic'], names: { session: `_${this.name}_session`, interaction: `_${this.name}_i`, resume: `_${this.name}_r` } },
        pkce: { required: () => true },
        conformIdTokenClaims: false,
        claims: { openid: OWN_CLAIMS, profile: ['name', 'given_name', 'family_name', 'preferred_username'], email: ['email', 'email_verified'] },
        features: { devInteractions: { enabled: false }, userinfo: { enabled: !tenant } },
        interactions: { url: (_, interaction) => `${issuer}/enter/${interaction.uid}` },
        findAccount: async (_, id) => ({ accountId: id, claims: async () => ({ ...this.person, sub: id }) }),
        loadExistingGrant: async (ctx) => {
          const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
          grant.addOIDCScope('openid profile email');
          await grant.save();
          return grant;
        },
        // The session is forgotten at once: the next one who comes may be another person.
        ttl: { Session: 1, Grant: 600, AccessToken: 600, AuthorizationCode: 60, IdToken: 600, Interaction: 600 },
        expiresWithSession: async () => false,
        renderError: async (ctx, out) => { ctx.type = 'json'; ctx.body = out; },
      });
      provider.use((ctx, next) => this.around(ctx, next, provider));
      this.providers.set(tenant, provider);
    }
  }

  async take(request, response) {
    const url = new URL(request.url, this.address);
    if (url.pathname === '/control') return this.control(request, response);
    const [, first, ...rest] = url.pathname.split('/');
    if (!this.options.tenants) return this.hand(this.providers.get(''), '', request, response);
    if (['common', 'organizations', 'consumers'].includes(first)) return this.common(first, rest.join('/'), url, request, response);
    const provider = this.providers.get(first);
    if (!provider) return response.writeHead(404).end();
    return this.hand(provider, `/${first}/v2.0`, request, response);
  }

  hand(provider, mounted, request, response) {
    request.originalUrl = request.url;
    request.url = request.url.slice(mounted.length) || '/';
    return provider.callback()(request, response);
  }

  // The endpoints for people of any tenant: a document whose issuer is a template, and the tenant of the person who was set.
  common(which, path, url, request, response) {
    if (path === 'v2.0/.well-known/openid-configuration') {
      const at = (end) => `${this.address}/${which}/${end}`;
      response.writeHead(200, { 'content-type': 'application/json' });
      return response.end(JSON.stringify({
        issuer: `${this.address}/{tenantid}/v2.0`, authorization_endpoint: at('oauth2/v2.0/authorize'), token_endpoint: at('oauth2/v2.0/token'),
        jwks_uri: at('discovery/v2.0/keys'), response_types_supported: ['code'], subject_types_supported: ['pairwise'],
        id_token_signing_alg_values_supported: ['RS256'], scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
        token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'], response_modes_supported: ['query', 'fragment', 'form_post'],
        request_uri_parameter_supported: false, http_logout_supported: true, frontchannel_logout_supported: true,
      }));
    }
    const tenant = this.person.tid ?? TENANT;
    if (path === 'discovery/v2.0/keys') {
      this.seen.keys += 1;
      const keys = this.keys.map(({ jwk: { kty, n, e, kid, use } }) => ({ kty, n, e, kid, use, issuer: `${this.address}/{tenantid}/v2.0` }));
      response.writeHead(200, { 'content-type': 'application/json' });
      return response.end(JSON.stringify({ keys }));
    }
    const end = { 'oauth2/v2.0/authorize': '/auth', 'oauth2/v2.0/token': '/token' }[path];
    if (!end || !this.providers.has(tenant)) return response.writeHead(404).end();
    request.url = `/${tenant}/v2.0${end}${url.search}`;
    return this.hand(this.providers.get(tenant), `/${tenant}/v2.0`, request, response);
  }

  async control(request, response) {
    let text = '';
    for await (const part of request) text += part;
    if (request.method === 'POST') {
      const { person, lie, roll } = JSON.parse(text);
      if (person) this.person = person;
      if (lie !== undefined) this.lie = lie;
      if (roll) {
        // Other keys, the old ones gone: whoever knows the key set must ask again.
        this.keys = [newKey(`${this.name}-${Date.now()}`)];
        this.providers.clear();
        this.make();
      }
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(this.seen));
    if (request.method === 'POST') this.seen = { authorize: {}, tokens: 0, keys: 0 };
  }

  async around(ctx, next, provider) {
    const enter = ctx.path.match(/^\/enter\//);
    if (enter) {
      const { prompt } = await provider.interactionDetails(ctx.req, ctx.res);
      const result = this.lie === 'denied' ? { error: 'access_denied', error_description: '<script>alert("denied")</script>' }
        : prompt.name === 'login' ? { login: { accountId: this.person.sub, amr: this.person.amr, acr: this.person.acr } } : {};
      return provider.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: true });
    }
    if (ctx.path === '/auth') this.seen.authorize = { ...ctx.query };
    if (ctx.path === '/jwks') this.seen.keys += 1;
    if (ctx.path === '/token') this.seen.tokens += 1;
    await next();
    return this.twist(ctx);
  }

  // What the answer becomes when it lies.
  async twist(ctx) {
    const { lie } = this;
    const location = ctx.response.get('location') || '';
    if (location.startsWith(back)) {
      const url = new URL(location);
      // As Entra: no RFC 9207.
      if (this.options.tenants) url.searchParams.delete('iss');
      if (lie === 'wrong iss parameter') url.searchParams.set('iss', 'https://another.example');
      if (lie === 'no iss parameter') url.searchParams.delete('iss');
      if (lie === 'another state') url.searchParams.set('state', 'x'.repeat(43));
      if (lie === 'no state') url.searchParams.delete('state');
      if (lie === 'state twice') url.searchParams.append('state', 'x');
      if (lie === 'code of another') url.searchParams.set('code', 'c'.repeat(43));
      ctx.set('location', url.href);
    }
    if (ctx.path === '/.well-known/openid-configuration' && ctx.body) {
      if (this.options.tenants) {
        const { authorization_response_iss_parameter_supported: _, code_challenge_methods_supported: __, ...rest } = ctx.body;
        ctx.body = rest;
      }
      if (lie === 'metadata of another issuer') ctx.body = { ...ctx.body, issuer: 'https://another.example' };
      if (lie === 'endpoints inside') ctx.body = { ...ctx.body, token_endpoint: 'https://169.254.169.254/latest', jwks_uri: 'http://127.0.0.1:1/' };
      if (lie === 'endless metadata') ctx.body = { ...ctx.body, more: 'x'.repeat(3 << 20) };
    }
    if (ctx.path === '/token') await this.twistTokens(ctx, lie);
  }

  async twistTokens(ctx, lie) {
    if (lie === 'slow') await new Promise((done) => { setTimeout(done, 8000); });
    if (lie === 'endless') ctx.body = { ...ctx.body, more: 'x'.repeat(3 << 20) };
    if (lie === 'redirect') {
      ctx.status = 307;
      ctx.set('location', `${this.address}/token`);
    }
    if (!ctx.body?.id_token) return;
    if (lie === 'no id_token') ctx.body = { ...ctx.body, id_token: undefined };
    if (lie === 'not JSON') ctx.body = '<html>';
    const change = TOKEN_LIES[lie];
    if (!change) return;
    const [head, payload] = ctx.body.id_token.split('.').slice(0, 2).map(decode);
    ctx.body = { ...ctx.body, id_token: change(head, payload, this) };
  }
}

const now = () => Math.floor(Date.now() / 1000);
const claims = (change) => (head, payload, mimic) => signed(head, { ...payload, ...change(payload, mimic) }, mimic.keys[0].privateKey);
const OTHER = newKey('other');

// By name: what becomes of an ID token. What stands for `undefined` is left out.
const TOKEN_LIES = {
  'wrong iss': claims(() => ({ iss: 'https://another.example' })),
  'wrong aud': claims(() => ({ aud: 'another-client' })),
  'aud with others, no azp': claims((p) => ({ aud: [p.aud, 'another-client'] })),
  'aud with others, wrong azp': claims((p) => ({ aud: [p.aud, 'another-client'], azp: 'another-client' })),
  'wrong nonce': claims(() => ({ nonce: 'n'.repeat(43) })),
  'no nonce': claims(() => ({ nonce: undefined })),
  'no sub': claims(() => ({ sub: undefined })),
  'no exp': claims(() => ({ exp: undefined })),
  'no iat': claims(() => ({ iat: undefined })),
  expired: claims(() => ({ iat: now() - 7200, exp: now() - 3600 })),
  'of tomorrow': claims(() => ({ iat: now() + 86400, nbf: now() + 86400, exp: now() + 90000 })),
  'wrong at_hash': claims(() => ({ at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' })),
  'another tenant in tid': claims(() => ({ tid: STRANGER })),
  'alg none': (head, payload) => signed({ ...head, alg: 'none' }, payload),
  'alg HS256 by the client secret': (head, payload) => signed({ ...head, alg: 'HS256' }, payload, CLIENT.client_secret),
  'alg HS256 by the public key': (head, payload, mimic) => signed({ ...head, alg: 'HS256' }, payload, mimic.keys[0].publicKey.export({ type: 'spki', format: 'pem' })),
  'key that is not published': (head, payload) => signed({ ...head, kid: 'other' }, payload, OTHER.privateKey),
  'another key under this name': (head, payload) => signed(head, payload, OTHER.privateKey),
  'key in the header': (head, payload) => signed({ ...head, kid: 'other', jwk: OTHER.publicKey.export({ format: 'jwk' }) }, payload, OTHER.privateKey),
  'key at an address in the header': (head, payload, mimic) => signed({ ...head, kid: 'other', jku: `${mimic.address}/jwks` }, payload, OTHER.privateKey),
  'critical header': (head, payload, mimic) => signed({ ...head, crit: ['exp'] }, payload, mimic.keys[0].privateKey),
  'signature of another token': (head, payload, mimic) => `${encode(head)}.${encode({ ...payload, sub: 'admin' })}.${signed(head, payload, mimic.keys[0].privateKey).split('.')[2]}`,
};

const mimics = [
  new Mimic('entra', { tenants: [TENANT, STRANGER], method: 'client_secret_post' }),
  new Mimic('google', { method: 'client_secret_post' }),
  new Mimic('plain'),
  new Mimic('liar'),
];
const told = {};
for (const mimic of mimics) told[mimic.name] = await mimic.listen();
console.log(JSON.stringify({ ...told, tenant: TENANT, stranger: STRANGER, token_lies: Object.keys(TOKEN_LIES) }));
