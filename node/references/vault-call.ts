/** One request of Vault's HTTP API. */
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Secret } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { errorCode } from '../state/files.ts'
import type { VaultSettings } from './vault-settings.ts'

export interface VaultAnswer {
  readonly status: number
  readonly body: unknown
}

const CALL_MS = 5_000
const ANSWER_BYTES = 1 << 20

/** What node:tls says of certificates: OpenSSL's names of what is wrong with a chain, and its own of a name that is another. */
const NOT_TRUSTED = /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|INVALID_CA$|INVALID_PURPOSE$|ERR_TLS_CERT_)/

interface VaultCall {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly token?: Secret
  readonly body?: unknown
}

/** Any status is an answer; REFERENCE_UNREACHABLE and VAULT_UNTRUSTED are thrown where there is none. */
export function callVault(settings: VaultSettings, { method, path, token, body }: VaultCall, signal: AbortSignal): Promise<VaultAnswer> {
  const { address, namespace, authority } = settings
  const url = new URL(`${address.pathname.replace(/\/$/, '')}/v1/${path}`, address)
  const sent = body === undefined ? '' : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown) => {
      if (signal.aborted) return reject(signal.reason)
      const why = errorCode(cause) ?? (cause instanceof Error ? cause.message : 'broke')
      if (NOT_TRUSTED.test(why)) return reject(new Fault('VAULT_UNTRUSTED', { at: `(${address.origin}: ${why})`, cause }))
      reject(new Fault('REFERENCE_UNREACHABLE', { at: `(Vault at ${address.origin}: ${why})`, cause }))
    }
    const outgoing = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
      method,
      agent: false,
      signal: AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]),
      ...(authority === undefined ? {} : { ca: authority }),
      headers: {
        accept: 'application/json',
        'x-vault-request': 'true',
        ...(token ? { 'x-vault-token': token.reveal() } : {}),
        ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
        ...(sent === '' ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(sent) }),
      },
    })
    outgoing.once('error', failed)
    outgoing.once('response', (incoming) => {
      const chunks: Buffer[] = []
      let size = 0
      incoming.once('error', failed)
      incoming.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > ANSWER_BYTES) outgoing.destroy(new Error('the answer is too large'))
        else chunks.push(chunk)
      })
      incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, body: json(Buffer.concat(chunks)) }))
    })
    outgoing.end(sent)
  })
}

function json(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
