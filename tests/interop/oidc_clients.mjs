// npm openid-client and oauth4webapi, both certified relying parties of the OpenID Foundation, against the running provider: discovery,
// code with PKCE, the ID token and its hash, userinfo, refresh with rotation, introspection, revocation, client credentials, sign-out.
// The person is a few lines of browser: cookies, redirects within the provider, the sign-in form.

import { spawnSync } from 'node:child_process';
import { webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const file = process.argv[2] ?? process.env.ROLLBOOK_DEMO;
const demo = JSON.parse(readFileSync(file, 'utf8'));
// Node reads the certificates that it trusts besides its own at its start, and only then.
if (process.env.NODE_EXTRA_CA_CERTS !== demo.ca_file) {
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: demo.ca_file };
  const run = spawnSync(process.execPath, [process.argv[1], file], { env, stdio: 'inherit' });
  process.exit(run.status ?? 1);
}
// Debian's Node.js 18 has it under another name.
globalThis.crypto ??= webcrypto;
const require = createRequire(pathToFileURL(`${process.env.NODE_MODULES}/index.js`));
const client = await import(pathToFileURL(require.resolve('openid-client')));
const oauth = await import(pathToFileURL(require.resolve('oauth4webapi')));

const { issuer, client_id, client_secret, redirect_uri } = demo.oidc;
const callback = redirect_uri.replace('127.0.0.1', '127.0.0.1:4711');
let failed = 0;

async function test(name, run) {
  try {
    await run();
    console.log(`ok ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok ${name}: ${String(error?.cause?.message ?? error?.message ?? error).replaceAll('\n', ' ')}`);
  }
}

function equal(found, wanted, what) {
  if (found !== wanted) throw new Error(`${what}: ${found} instead of ${wanted}`);
}

async function refused(promise, error) {
  try {
    await promise;
  } catch (caught) {
    equal(caught.error ?? caught.cause?.error, error, 'the error');
    return;
  }
  throw new Error(`taken, and ${error} was due`);
}

class Browser {
  cookies = new Map();

  async go(url, form) {
    for (let hops = 0; hops < 12; hops += 1) {
      const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const headers = { cookie, 'sec-fetch-site': 'same-origin' };
      const answer = await fetch(url, form
        ? { method: 'POST', body: new URLSearchParams(form), headers: { ...headers, origin: issuer }, redirect: 'manual' }
        : { headers, redirect: 'manual' });
      // Debian's Node.js 18 gives all of them as one text.
      const cookies = answer.headers.getSetCookie?.() ?? (answer.headers.get('set-cookie') ?? '').split(/, (?=[^;, ]+=)/);
      for (const line of cookies.filter(Boolean)) {
        const [name, value] = line.split(';')[0].split(/=(.*)/s);
        if (value) this.cookies.set(name, value);
        else this.cookies.delete(name);
      }
      const location = answer.headers.get('location');
      if (!location) return { page: await answer.text(), url };
      url = new URL(location, url);
      form = undefined;
      if (url.origin !== issuer) return { away: url };
    }
    throw new Error('redirects without end');
  }

  async enter(url) {
    const { away, page, url: at } = await this.go(url);
    if (away) return away;
    const form = page.match(/<form[^>]*action="\/sign-in"[\s\S]*?<\/form>/)?.[0];
    if (!form) throw new Error(`no sign-in form at ${at}: ${page.slice(0, 200)}`);
    const field = (name) => form.match(new RegExp(`name="${name}" value="([^"]*)"`))?.[1] ?? '';
    const fields = { token: field('token'), r: field('r'), username: demo.admin.username, password: demo.admin.password };
    const end = await this.go(new URL('/sign-in', issuer), fields);
    if (!end.away) throw new Error(`not signed in: ${end.page.slice(0, 300)}`);
    return end.away;
  }
}

const browser = new Browser();
let config, tokens;

async function sign_in(parameters) {
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const nonce = client.randomNonce();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: callback, scope: 'openid profile email offline_access', state, nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...parameters,
  });
  const away = await browser.enter(url);
  return client.authorizationCodeGrant(config, away, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true });
}

await test('openid-client: discovery', async () => {
  config = await client.discovery(new URL(issuer), client_id, client_secret);
  equal(config.serverMetadata().issuer, issuer, 'the issuer');
  equal(config.serverMetadata().supportsPKCE(), true, 'PKCE');
});
await test('openid-client: code, PKCE, state, nonce, iss, ID token', async () => {
  tokens = await sign_in({});
  equal(tokens.claims().aud, client_id, 'aud');
  equal(tokens.claims().acr, 'pwd', 'acr');
});
await test('openid-client: userinfo', async () => {
  const told = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
  equal(told.preferred_username, demo.admin.username, 'preferred_username');
});
await test('openid-client: prompt=none is silent, max_age is checked', async () => {
  const silent = await sign_in({ prompt: 'none' });
  equal(silent.claims().sub, tokens.claims().sub, 'sub');
  equal(silent.claims().auth_time, tokens.claims().auth_time, 'auth_time');
});
await test('openid-client: introspection', async () => {
  const told = await client.tokenIntrospection(config, tokens.access_token);
  equal(told.active, true, 'active');
  equal(told.client_id, client_id, 'client_id');
});
await test('openid-client: refresh rotates; the old token ends the family', async () => {
  const first = tokens.refresh_token;
  const second = await client.refreshTokenGrant(config, first);
  equal(second.claims().sub, tokens.claims().sub, 'sub');
  await refused(client.refreshTokenGrant(config, first), 'invalid_grant');
  await refused(client.refreshTokenGrant(config, second.refresh_token), 'invalid_grant');
  equal((await client.tokenIntrospection(config, second.access_token)).active, false, 'active');
});
await test('openid-client: revocation', async () => {
  const fresh = await sign_in({});
  await client.tokenRevocation(config, fresh.refresh_token);
  equal((await client.tokenIntrospection(config, fresh.access_token)).active, false, 'active');
});
await test('openid-client: client credentials', async () => {
  const own = await client.clientCredentialsGrant(config, { scope: 'profile' });
  equal((await client.tokenIntrospection(config, own.access_token)).sub, client_id, 'sub');
});
await test('openid-client: client_secret_basic', async () => {
  const basic = await client.discovery(new URL(issuer), client_id, undefined, client.ClientSecretBasic(client_secret));
  equal((await client.clientCredentialsGrant(basic)).token_type, 'bearer', 'token_type');
});
await test('openid-client: a wrong secret is refused', async () => {
  const wrong = await client.discovery(new URL(issuer), client_id, 'rba_wrong');
  await refused(client.clientCredentialsGrant(wrong), 'invalid_client');
});

await test('oauth4webapi: the whole flow, ID token signature and JWT access token checked', async () => {
  const at = new URL(issuer);
  const as = await oauth.processDiscoveryResponse(at, await oauth.discoveryRequest(at));
  const rfc8414 = await oauth.processDiscoveryResponse(at, await oauth.discoveryRequest(at, { algorithm: 'oauth2' }));
  equal(rfc8414.token_endpoint, as.token_endpoint, 'RFC 8414');
  const me = { client_id };
  const secret = oauth.ClientSecretBasic(client_secret);
  const verifier = oauth.generateRandomCodeVerifier();
  const nonce = oauth.generateRandomNonce();
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id, redirect_uri: callback, response_type: 'code', scope: 'openid email', nonce, state: 'st', max_age: '3600',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  });
  const parameters = oauth.validateAuthResponse(as, me, await browser.enter(url), 'st');
  const answer = await oauth.authorizationCodeGrantRequest(as, me, secret, parameters, callback, verifier);
  const result = await oauth.processAuthorizationCodeResponse(as, me, answer, { expectedNonce: nonce, maxAge: 3600, requireIdToken: true });
  await oauth.validateApplicationLevelSignature(as, answer);
  const told = await oauth.userInfoRequest(as, me, result.access_token);
  await oauth.processUserInfoResponse(as, me, oauth.getValidatedIdTokenClaims(result).sub, told);
  const request = new Request('https://api.example/', { headers: { authorization: `Bearer ${result.access_token}` } });
  const access = await oauth.validateJwtAccessToken(as, request, issuer);
  equal(access.client_id, client_id, 'client_id of the access token (RFC 9068)');
});
await test('openid-client: RP-initiated logout ends the session', async () => {
  const fresh = await sign_in({});
  const url = client.buildEndSessionUrl(config, { id_token_hint: fresh.id_token });
  const { page } = await browser.go(url);
  if (!page) throw new Error('no page after the sign-out');
  const silent = client.buildAuthorizationUrl(config, {
    redirect_uri: callback, scope: 'openid', prompt: 'none', state: 'x', code_challenge_method: 'S256',
    code_challenge: await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier()),
  });
  const { away } = await browser.go(silent);
  equal(away.searchParams.get('error'), 'login_required', 'the error');
});

console.log('# end');
process.exit(failed ? 1 : 0);
