import { request } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '@postern/base/clock.ts'
import type { Log } from '@postern/base/log.ts'
import { DATA_PATH, DATA_PROTOCOL, TICKET_HEADER } from '@postern/protocol/link.ts'
import { type Dialler, onAbort } from '../calls/dialler.ts'
import type { ServiceClient } from '../calls/service-client.ts'
import { prefixOf } from '../calls/service-url.ts'

export interface DataDiallerParts {
  readonly dialler: Dialler
  readonly service: Pick<ServiceClient, 'authorization'>
  /** False: what stands on the way lets no raw upgrade pass. */
  readonly passes: () => boolean
  readonly clock: Clock
  readonly log: Log
}

/** Longer than that nobody waits for it: the link is there. */
const DIAL_MS = 2_000
/** After a dial that failed: no client waits for the next one during this time. */
const REST_MS = 60_000
/** What stands before several replicas brings a dial to any of them, and only one knows the ticket. */
const TRIES = 3
const KEEP_ALIVE_MS = 15_000
const UNKNOWN_HERE = 404

/** Dials connections for the bytes of single sessions, outside of the link. */
export class DataDialler {
  readonly #parts: DataDiallerParts
  #restUntil = Number.NEGATIVE_INFINITY

  constructor(parts: DataDiallerParts) {
    this.#parts = parts
  }

  /** Undefined where there is none to be had: the link carries the bytes then. Never fails. */
  async dial(ticket: string, signal: AbortSignal): Promise<Socket | undefined> {
    const { passes, clock, log } = this.#parts
    if (!passes() || clock.monotonic() < this.#restUntil) return undefined
    const limit = AbortSignal.any([signal, AbortSignal.timeout(DIAL_MS)])
    try {
      for (let tried = 0; tried < TRIES; tried += 1) {
        const outcome = await this.#try(ticket, limit)
        if (typeof outcome !== 'number') return outcome
        if (outcome !== UNKNOWN_HERE) throw new Error(`answered ${outcome}`)
      }
    } catch (cause) {
      if (signal.aborted) return undefined
      this.#restUntil = clock.monotonic() + REST_MS
      log.info(
        { why: cause instanceof Error ? cause.message : String(cause) },
        'no data connection: sessions go over the link for a minute',
      )
    }
    return undefined
  }

  /** The connection, or the status that came in its place. */
  async #try(ticket: string, signal: AbortSignal): Promise<Socket | number> {
    const { dialler, service } = this.#parts
    const tcp = await dialler.dial(signal)
    tcp.setKeepAlive(true, KEEP_ALIVE_MS)
    return new Promise((resolve, reject) => {
      const give = (cause: unknown) => {
        detach()
        tcp.on('error', () => undefined).destroy()
        reject(cause)
      }
      const upgrade = request({
        method: 'GET',
        path: prefixOf(dialler.target) + DATA_PATH,
        headers: {
          host: dialler.target.host,
          ...service.authorization('GET', DATA_PATH, ''),
          [TICKET_HEADER]: ticket,
          connection: 'Upgrade',
          upgrade: DATA_PROTOCOL,
        },
        createConnection: () => tcp,
      })
      const detach = onAbort(signal, () => give(new Error('no answer in time')))
      upgrade.once('upgrade', (response, _socket, head) => {
        if (response.headers.upgrade?.toLowerCase() !== DATA_PROTOCOL) return give(new Error('upgraded to something else'))
        detach()
        tcp.on('error', () => undefined)
        if (head.length > 0) tcp.unshift(head)
        resolve(tcp)
      })
      upgrade.once('response', (response) => {
        detach()
        response.on('error', () => undefined).resume()
        tcp.destroy()
        resolve(response.statusCode ?? 0)
      })
      upgrade.on('error', give)
      upgrade.end()
    })
  }
}
