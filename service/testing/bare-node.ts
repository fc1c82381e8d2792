/** A node without a link: joins, signs and beats, tells what it was answered, and does nothing else. */
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { openAuthKey } from '@postern/protocol/auth-key.ts'
import { PROTOCOL_VERSION } from '@postern/protocol/limits.ts'
import { SERVICE_PATHS } from '@postern/protocol/link.ts'
import type { Beat, BeatResponse, JoinResponse } from '@postern/protocol/node-api.ts'
import { makeCsr } from './csr.ts'
import { nodeProof } from './node-proof.ts'
import { type Answer, send } from './send.ts'

export class BareNode {
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
    const body = { protocol: PROTOCOL_VERSION, key: proof, name, version: '0.1.0', identity, csr: await makeCsr(name) }
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
    const authorization = nodeProof(this.#key, { node: this.id, method, path, body: text }, forge.claims)
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
