/** The protocol itself, by openid-client: where to send a browser, and what to believe of what it comes back with. */
import type { Clock } from '@postern/base/clock.ts'
import type { Log } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import * as openid from 'openid-client'
import type { Claims } from './oidc-claims.ts'
import type { ProviderRow } from './oidc-repository.ts'
import { readOidcSecret, type SecretPlaces } from './oidc-secret.ts'

const ANSWER_SECONDS = 10
const ANSWER_BYTES = 1 << 20
/** How far the clocks of service and provider may be apart. */
const SKEW_SECONDS = 60
/** Providers move rarely; a setting that was changed is looked at anew at once. */
const METADATA_MS = 600_000
const MOST_PROVIDERS = 100
const SAFE_WORD = /^[a-z_]{1,60}$/

export interface OidcClientParts {
  readonly secrets: SecretPlaces
  readonly clock: Clock
  readonly log: Log
}

/** What proves that the sign-in that comes back is the one that was begun. */
export interface FlowProofs {
  readonly state: string
  readonly nonce: string
  /** PKCE. */
  readonly verifier: string
}

interface Known {
  readonly metadata: openid.ServerMetadata
  readonly at: number
}

export class OidcClient {
  readonly #parts: OidcClientParts
  readonly #known = new Map<string, Known>()

  constructor(parts: OidcClientParts) {
    this.#parts = parts
  }

  async authorizationUrl(provider: ProviderRow, redirectUri: string, { state, nonce, verifier }: FlowProofs): Promise<URL> {
    const config = await this.#configOf(provider)
    return openid.buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope: [...new Set(['openid', ...provider.scopes])].join(' '),
      response_type: 'code',
      state,
      nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
  }

  /** Checks state, issuer, signature, audience, times and nonce; gives what is said of the person. Fails with OIDC_REFUSED. */
  async claims(provider: ProviderRow, answer: URL, { state, nonce, verifier }: FlowProofs): Promise<Claims> {
    const config = await this.#configOf(provider)
    try {
      const tokens = await openid.authorizationCodeGrant(config, answer, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      })
      const claims = tokens.claims()
      if (!claims) throw new Fault('OIDC_REFUSED')
      if (claims.iat > this.#parts.clock.now() / 1_000 + SKEW_SECONDS)
        throw new Fault('OIDC_REFUSED', { at: `The clocks of ${provider.name} and of the service are too far apart.` })
      if (!config.serverMetadata().userinfo_endpoint) return claims
      // Many providers say names and groups only there.
      const more = await openid.fetchUserInfo(config, tokens.access_token, claims.sub)
      return { ...more, ...claims }
    } catch (cause) {
      throw this.#fault(cause, provider)
    }
  }

  /** New for each use: then the provider's keys are fetched for each sign-in, and one that was rotated a moment ago is known. */
  async #configOf(provider: ProviderRow): Promise<openid.Configuration> {
    const { clock, secrets } = this.#parts
    const { clientId, secret } = provider
    const auth = secret === '' ? openid.None() : clientAuth(await readOidcSecret(secret, secrets))
    const metadata = await this.#metadataOf(provider)
    const basic = (metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic']).includes('client_secret_basic')
    const config = new openid.Configuration(
      metadata,
      clientId,
      { [openid.clockTolerance]: SKEW_SECONDS, [openid.clockSkew]: Math.round((clock.now() - Date.now()) / 1_000) },
      typeof auth === 'function' ? auth : basic ? auth.basic : auth.post,
    )
    config.timeout = ANSWER_SECONDS
    config[openid.customFetch] = boundedFetch
    // The ID token comes straight from the provider, over TLS; its signature is checked all the same.
    openid.enableNonRepudiationChecks(config)
    if (new URL(provider.issuer).protocol === 'http:') openid.allowInsecureRequests(config)
    return config
  }

  async #metadataOf(provider: ProviderRow): Promise<openid.ServerMetadata> {
    const { issuer, clientId } = provider
    const now = this.#parts.clock.monotonic()
    const known = this.#known.get(issuer)
    if (known && now - known.at < METADATA_MS) return known.metadata
    try {
      const config = await openid.discovery(new URL(issuer), clientId, undefined, openid.None(), {
        timeout: ANSWER_SECONDS,
        [openid.customFetch]: boundedFetch,
        execute: new URL(issuer).protocol === 'http:' ? [openid.allowInsecureRequests] : [],
      })
      const { supportsPKCE: _, ...metadata } = config.serverMetadata()
      if (this.#known.size >= MOST_PROVIDERS) this.#known.clear()
      this.#known.set(issuer, { metadata, at: now })
      return metadata
    } catch (cause) {
      throw this.#fault(cause, provider, 'OIDC_PROVIDER_UNREACHABLE')
    }
  }

  /** What the cause holds (codes, tokens, answers) stays out of the log: names of errors only. */
  #fault(cause: unknown, { name, issuer }: ProviderRow, other: 'OIDC_REFUSED' | 'OIDC_PROVIDER_UNREACHABLE' = 'OIDC_REFUSED'): Fault {
    if (cause instanceof Fault) return cause
    const { log } = this.#parts
    const error = cause instanceof openid.AuthorizationResponseError || cause instanceof openid.ResponseBodyError ? cause.error : ''
    const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
    const said = SAFE_WORD.test(error) ? error : ''
    log.warn(
      { provider: name, issuer, code, said, problem: cause instanceof Error ? cause.message : '' },
      'sign-in by OpenID Connect failed',
    )
    if (isAway(cause, code) || said === 'invalid_client')
      return new Fault('OIDC_PROVIDER_UNREACHABLE', { at: `${name} (${said || 'no good answer'})` })
    return new Fault(other, { at: said === '' ? name : `${name} said: ${said}.` })
  }
}

/** Not our answer and not the provider's no: it did not get as far. */
function isAway(cause: unknown, code: string): boolean {
  // The client secret is not the one it knows.
  if (cause instanceof openid.WWWAuthenticateChallengeError) return true
  if (
    code === 'OAUTH_TIMEOUT' ||
    code === 'OAUTH_ABORT' ||
    code === 'OAUTH_RESPONSE_IS_NOT_CONFORM' ||
    code === 'OAUTH_RESPONSE_IS_NOT_JSON'
  )
    return true
  return cause instanceof TypeError || (cause instanceof Error && cause.cause instanceof TypeError)
}

const clientAuth = (secret: string) => ({ basic: openid.ClientSecretBasic(secret), post: openid.ClientSecretPost(secret) })

/** An answer has an end. */
const boundedFetch: openid.CustomFetch = async (url, options) => {
  const { body, ...rest } = options
  const response = await fetch(url, { ...rest, ...(body === undefined ? {} : { body: body as string }) })
  let bytes = 0
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.length
      if (bytes > ANSWER_BYTES) controller.error(new TypeError('The answer of the provider is too long.'))
      else controller.enqueue(chunk)
    },
  })
  const { status, statusText, headers } = response
  return new Response(response.body?.pipeThrough(limit) ?? null, { status, statusText, headers })
}
