/** A real OpenID Connect provider (npm oidc-provider) with its own login and consent pages, on a free loopback port. */
import { generateKeyPairSync, type JsonWebKey, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import Provider from 'oidc-provider'
import { freePort } from './free-port.ts'

/** What the provider says of somebody, by the name that is typed into its login page. */
export type TestPeople = Readonly<Record<string, Readonly<Record<string, unknown>>>>

export interface OidcServerOptions {
  readonly people: TestPeople
  readonly redirectUris: readonly string[]
  readonly clientId?: string
  /** None: a public client. */
  readonly clientSecret?: string
}

export class OidcServer implements AsyncDisposable {
  readonly port: number
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string | undefined
  people: TestPeople
  readonly #redirectUris: readonly string[]
  #server: Server | undefined

  private constructor(port: number, { people, redirectUris, clientId = 'postern', clientSecret }: OidcServerOptions) {
    this.port = port
    this.issuer = `http://127.0.0.1:${port}`
    this.people = people
    this.clientId = clientId
    this.clientSecret = clientSecret
    this.#redirectUris = redirectUris
  }

  static async start(options: OidcServerOptions): Promise<OidcServer> {
    const server = new OidcServer(await freePort(), options)
    await server.rotate()
    return server
  }

  /** Starts it, or starts it again, with a signing key that nobody has seen; as its memory is new, so is who is signed in there. */
  async rotate(): Promise<void> {
    await this.stop()
    const provider = new Provider(this.issuer, this.#configuration())
    const server = createServer(provider.callback())
    this.#server = server
    server.listen(this.port, '127.0.0.1')
    await once(server, 'listening')
  }

  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (!server) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #configuration(): Readonly<Record<string, unknown>> {
    const secret = this.clientSecret
    return {
      clients: [
        {
          client_id: this.clientId,
          redirect_uris: [...this.#redirectUris],
          token_endpoint_auth_method: secret === undefined ? 'none' : 'client_secret_basic',
          ...(secret === undefined ? {} : { client_secret: secret }),
        },
      ],
      claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'groups'], email: ['email', 'email_verified'] },
      findAccount: (_: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id, ...this.people[id] }) }),
      pkce: { required: () => true },
      jwks: { keys: [signingKey()] },
      cookies: { keys: [randomUUID()] },
      // Those of its own would be told of on stdout.
      ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
    }
  }
}

function signingKey(): JsonWebKey {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' }
}
