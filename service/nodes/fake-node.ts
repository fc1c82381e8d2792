/** A node as tests of the service need it: joins, signs and beats, and does nothing else. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { openAuthKey } from '@postern/protocol/auth-key.ts'
import { PROTOCOL_VERSION } from '@postern/protocol/limits.ts'
import { NODE_AUTH_SCHEME, SERVICE_PATHS } from '@postern/protocol/link.ts'
import type { Beat, BeatResponse, JoinResponse } from '@postern/protocol/node-api.ts'

export interface Answer<T> {
  readonly status: number
  readonly body: T & { readonly code?: string; readonly detail?: string }
}

export class FakeNode {
  readonly url: string
  readonly name: string
  readonly #key: KeyObject
  readonly identity: string
  readonly bootId = randomBytes(6).toString('hex')
  id = ''

  constructor(url: string, name: string) {
    this.url = url
    this.name = name
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    this.#key = privateKey
    this.identity = publicKey.export({ format: 'jwk' }).x ?? ''
  }

  async join(key: string): Promise<Answer<JoinResponse>> {
    const { name, identity } = this
    const proof = (await openAuthKey(key))?.joinProof ?? key
    const body = { protocol: PROTOCOL_VERSION, key: proof, name, version: '0.1.0', identity, csr: await newRequest(name) }
    const answer = await send<JoinResponse>(this.url + SERVICE_PATHS.join, 'POST', body, {})
    if (answer.status === 200) this.id = answer.body.nodeId
    return answer
  }

  beat(change: Partial<Beat> = {}): Promise<Answer<BeatResponse>> {
    return this.call('POST', SERVICE_PATHS.beat, { ...beatOf(this.bootId), ...change })
  }

  /** `forge` changes the claims or the bytes behind the signature's back. */
  call<T>(method: string, path: string, body?: unknown, forge: { claims?: object; body?: string } = {}): Promise<Answer<T>> {
    const text = body === undefined ? '' : JSON.stringify(body)
    const hash = createHash('sha256').update(text).digest('base64url')
    const claims = { iss: this.id, htm: method, htu: path, bh: hash, iat: Math.floor(Date.now() / 1_000), ...forge.claims }
    const signed = `${encode({ alg: 'EdDSA' })}.${encode(claims)}`
    const token = `${signed}.${sign(null, Buffer.from(signed), this.#key).toString('base64url')}`
    const authorization = `${NODE_AUTH_SCHEME} ${token}`
    return send(this.url + path, method, forge.body ?? (text === '' ? undefined : text), { authorization })
  }
}

export function beatOf(bootId: string): Beat {
  return {
    bootId,
    sentAt: new Date().toISOString(),
    version: '0.1.0',
    channel: { address: '127.0.0.1:8050', ok: true, fault: null },
    unreachable: [],
    cpuPercent: 5,
    cores: 2,
    totalMemoryBytes: 8_589_934_592,
    availableMemoryBytes: 4_294_967_296,
    networkInBytesPerSecond: 0,
    networkOutBytesPerSecond: 0,
    runningQueries: 0,
    running: [],
    snapshots: [],
    hasGatewayKey: true,
    draining: false,
  }
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** PKCS#10 with a fresh P-256 key. */
export async function newRequest(name: string): Promise<string> {
  await import('reflect-metadata')
  const { Pkcs10CertificateRequestGenerator } = await import('@peculiar/x509')
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  return (await Pkcs10CertificateRequestGenerator.create({ name: `CN=${name}`, keys, signingAlgorithm: algorithm })).toString('pem')
}

export async function send<T>(url: string, method: string, body: unknown, headers: Record<string, string>): Promise<Answer<T>> {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
  const response = await fetch(url, {
    method,
    headers: { ...headers, ...(text === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(text === undefined ? {} : { body: text }),
    signal: AbortSignal.timeout(20_000),
  })
  const said = await response.text()
  return { status: response.status, body: (said === '' ? {} : JSON.parse(said)) as Answer<T>['body'] }
}
