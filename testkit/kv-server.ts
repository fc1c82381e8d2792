/**
 * A stand-in for HashiCorp Vault, made from its public API documentation: the key/value secrets engine, version 2 (read, versions,
 * deleted versions), policies by path prefix, tokens with a life (periodic, not renewable, with a longest life) that look at themselves and renew
 * themselves, AppRole sign-in, namespaces, the sealed state, the standard statuses and error bodies.
 * It is not Vault: nothing is encrypted and nothing is kept.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type Clock, systemClock } from '@postern/base/clock.ts'

interface Version {
  readonly data: Readonly<Record<string, unknown>>
  readonly createdAt: string
  deletedAt: string
}

type Say = (status: number, body: unknown) => undefined

export interface TokenWish {
  /** Infinite when left out. */
  readonly lifeMs?: number
  /** It was made so long ago. */
  readonly ageMs?: number
  readonly renewable?: boolean
  /** Every renewal gives it so long, without an end. */
  readonly periodMs?: number
  /** No renewal goes beyond it, from the making on. */
  readonly longestMs?: number
  /** Without the policy "default" it may neither look at itself nor renew itself. */
  readonly ownPolicyOnly?: boolean
}

interface TokenRow {
  /** Path prefixes that may be read. */
  readonly paths: readonly string[]
  readonly wish: TokenWish
  readonly madeAt: number
  until: number
}

export interface KvServerOptions {
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Requests must name it. */
  readonly namespace?: string
  /** By which tokens end. */
  readonly clock?: Pick<Clock, 'monotonic'>
}

export class KvServer implements AsyncDisposable {
  readonly #server: Server
  readonly #options: KvServerOptions
  readonly #secrets = new Map<string, Version[]>()
  readonly #tokens = new Map<string, TokenRow>()
  readonly #roles = new Map<string, { readonly secretId: string; readonly paths: readonly string[]; readonly leaseSeconds: number }>()
  /** "METHOD path" of all that came. */
  readonly seen: string[] = []
  sealed = false

  private constructor(options: KvServerOptions) {
    this.#options = options
    const answer = (request: IncomingMessage, response: ServerResponse) => void this.#answer(request, response)
    this.#server = options.tls ? createTlsServer(options.tls, answer) : createServer(answer)
  }

  static async start(options: KvServerOptions = {}): Promise<KvServer> {
    const server = new KvServer(options)
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  get url(): string {
    return `${this.#options.tls ? 'https' : 'http'}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** A new version. `path` is MOUNT/data/NAME. */
  put(path: string, data: Readonly<Record<string, unknown>>): void {
    const versions = this.#secrets.get(path) ?? []
    versions.push({ data, createdAt: new Date().toISOString(), deletedAt: '' })
    this.#secrets.set(path, versions)
  }

  /** Deletes the newest version, as `vault kv delete` does. */
  delete(path: string): void {
    const newest = this.#secrets.get(path)?.at(-1)
    if (newest) newest.deletedAt = new Date().toISOString()
  }

  token(paths: readonly string[], wish: TokenWish = {}): string {
    const token = `hvs.${randomUUID()}`
    const madeAt = this.#now() - (wish.ageMs ?? 0)
    const lifeMs = Math.min(wish.periodMs ?? wish.lifeMs ?? Number.POSITIVE_INFINITY, wish.longestMs ?? Number.POSITIVE_INFINITY)
    this.#tokens.set(token, { paths, wish, madeAt, until: madeAt + lifeMs })
    return token
  }

  #now(): number {
    return (this.#options.clock ?? systemClock).monotonic()
  }

  revokeAll(): void {
    this.#tokens.clear()
  }

  role(paths: readonly string[], leaseSeconds = 3_600): { readonly roleId: string; readonly secretId: string } {
    const [roleId, secretId] = [randomUUID(), randomUUID()]
    this.#roles.set(roleId, { secretId, paths, leaseSeconds })
    return { roleId, secretId }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<undefined> {
    const say: Say = (status, body) => {
      response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(body))
    }
    const errors = (status: number, ...words: string[]) => say(status, { errors: words })
    const { method = '', url = '' } = request
    this.seen.push(`${method} ${url}`)
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    if (this.sealed) return errors(503, 'Vault is sealed')
    if (!url.startsWith('/v1/')) return errors(404)
    if (this.#options.namespace !== undefined && request.headers['x-vault-namespace'] !== this.#options.namespace)
      return errors(403, 'permission denied')
    const path = decodeURIComponent(url.slice(4))
    if (method === 'POST' && path === 'auth/approle/login') return this.#login(Buffer.concat(chunks).toString('utf8'), say)
    const token = this.#tokens.get(String(request.headers['x-vault-token'] ?? ''))
    const alive = token && token.until > this.#now()
    if (alive && !token.wish.ownPolicyOnly && path === 'auth/token/lookup-self') return say(200, this.#self(token))
    if (alive && !token.wish.ownPolicyOnly && path === 'auth/token/renew-self' && (method === 'POST' || method === 'PUT'))
      return this.#renew(token, Buffer.concat(chunks).toString('utf8'), say)
    const may = alive && token.paths.some((prefix) => path.startsWith(prefix))
    if (!may) return errors(403, 'permission denied')
    if (method !== 'GET') return errors(405, 'unsupported operation')
    return this.#read(path, say)
  }

  /** `ttl` in whole seconds; 0 and no `expire_time` where it does not end. */
  #self({ wish, madeAt, until }: TokenRow) {
    const leftMs = until - this.#now()
    const endless = leftMs === Number.POSITIVE_INFINITY
    const seconds = (ms: number | undefined) => (ms === undefined || ms === Number.POSITIVE_INFINITY ? 0 : Math.floor(ms / 1_000))
    return {
      request_id: randomUUID(),
      data: {
        accessor: randomUUID(),
        creation_ttl: seconds(wish.periodMs ?? wish.lifeMs),
        expire_time: endless ? null : new Date(Date.now() + leftMs).toISOString(),
        explicit_max_ttl: seconds(wish.longestMs),
        issue_time: new Date(Date.now() - (this.#now() - madeAt)).toISOString(),
        num_uses: 0,
        ...(wish.periodMs === undefined ? {} : { period: seconds(wish.periodMs) }),
        policies: ['default'],
        renewable: isRenewable(wish),
        ttl: seconds(leftMs),
        type: 'service',
      },
    }
  }

  /** A periodic token takes no increment; beyond its longest life a token is given what is left, and no error. */
  #renew(token: TokenRow, body: string, say: Say): undefined {
    const { wish, madeAt } = token
    if (!isRenewable(wish)) return say(400, { errors: ['lease is not renewable'] })
    const { increment } = (body === '' ? {} : JSON.parse(body)) as { increment?: number }
    const asked = wish.periodMs ?? (increment === undefined ? wish.lifeMs : increment * 1_000) ?? 0
    token.until = Math.min(this.#now() + asked, madeAt + (wish.longestMs ?? Number.POSITIVE_INFINITY))
    const lease = Math.floor((token.until - this.#now()) / 1_000)
    return say(200, {
      request_id: randomUUID(),
      lease_id: '',
      renewable: false,
      lease_duration: 0,
      warnings:
        lease * 1_000 < asked
          ? [`TTL of "${asked / 1_000}s" exceeded the effective max_ttl of "${lease}s"; TTL value is capped accordingly`]
          : null,
      auth: { accessor: randomUUID(), policies: ['default'], lease_duration: lease, renewable: true, token_type: 'service', orphan: true },
    })
  }

  #login(body: string, say: Say): undefined {
    const { role_id: roleId, secret_id: secretId } = JSON.parse(body) as { role_id: string; secret_id: string }
    const role = this.#roles.get(roleId)
    if (role?.secretId !== secretId) return say(400, { errors: ['invalid role or secret ID'] })
    const token = this.token(role.paths, { lifeMs: role.leaseSeconds * 1_000 })
    return say(200, {
      request_id: randomUUID(),
      auth: { client_token: token, lease_duration: role.leaseSeconds, renewable: true, policies: ['default'] },
    })
  }

  #read(path: string, say: Say): undefined {
    const versions = this.#secrets.get(path)
    const newest = versions?.at(-1)
    if (!versions || !newest) return say(404, { errors: [] })
    const metadata = { created_time: newest.createdAt, deletion_time: newest.deletedAt, destroyed: false, version: versions.length }
    const data = newest.deletedAt === '' ? newest.data : null
    return say(data === null ? 404 : 200, {
      request_id: randomUUID(),
      lease_id: '',
      renewable: false,
      lease_duration: 0,
      data: { data, metadata },
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** Vault makes none that does not end renewable. */
const isRenewable = ({ renewable = true, periodMs, lifeMs }: TokenWish): boolean => renewable && (periodMs ?? lifeMs) !== undefined
