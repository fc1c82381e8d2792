import type { Log } from '@postern/base/log.ts'
import { HeldSession } from '@postern/protocol/api/sessions.ts'
import { type ReplicaId, SessionId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { z } from 'zod'
import type { ReplicaCalls } from '../replicas/replica-calls.ts'
import type { Replicas } from '../replicas/replicas.ts'
import type { SessionBook } from './session-book.ts'
import { isKeyOf } from './session-keys.ts'
import { sessionView } from './session-record.ts'
import type { SessionKey } from './wire-messages.ts'

const LIST = '/sessions/list'
const END = '/sessions/end'
const CANCEL = '/sessions/cancel'
/** A replica that hangs keeps nobody from seeing the rest. */
const ASK_MS = 2_000

const EndAsked = z.object({ session: SessionId, by: z.string() })
const EndAnswer = z.object({ store: z.string(), caller: z.string() }).nullable()
const CancelAsked = z.object({ processId: z.int(), secretKey: z.int() })

type Peer = ReturnType<Replicas['others']>[number]

export interface AllSessionsParts {
  readonly self: ReplicaId
  /** Where other replicas reach this one. */
  readonly url: () => string
  readonly book: Pick<SessionBook, 'list' | 'end' | 'cancel'>
  readonly others: () => readonly Peer[]
  readonly log: Log
}

export type SeenSession = HeldSession & { readonly replica: string }

export interface SeenSessions {
  readonly items: readonly SeenSession[]
  /** Replicas that did not answer: their connections are not in the list. */
  readonly silent: readonly string[]
}

/** The open connections of all replicas: each keeps the book of its own, and asks the others. */
export class AllSessions {
  readonly #parts: AllSessionsParts

  constructor(parts: AllSessionsParts) {
    this.#parts = parts
  }

  /** What others may ask; answered from the own book, so nothing goes round. */
  get calls(): ReplicaCalls {
    const { book } = this.#parts
    return {
      [LIST]: () => this.#here(),
      [END]: (body) => {
        const { session, by } = EndAsked.parse(body)
        const ended = book.end(session, by)
        return ended ? { store: ended.store, caller: ended.caller } : null
      },
      [CANCEL]: (body) => book.cancel(CancelAsked.parse(body)),
    }
  }

  /** Newest first. */
  async list(): Promise<SeenSessions> {
    const silent: string[] = []
    const own = this.#here().map((session) => ({ ...session, replica: this.#parts.url() }))
    const elsewhere = await Promise.all(
      this.#parts.others().map(async (peer): Promise<readonly SeenSession[]> => {
        const sessions = await this.#ask(peer, { path: LIST, body: {}, answer: z.array(HeldSession) })
        if (!sessions) silent.push(peer.other.url)
        return (sessions ?? []).map((session) => ({ ...session, replica: peer.other.url }))
      }),
    )
    const items = [...own, ...elsewhere.flat()].toSorted((a, b) => b.startedAt.localeCompare(a.startedAt))
    return { items, silent }
  }

  /** Ends it now, at whichever replica it is; undefined where there is no such session. */
  async end(session: SessionId, by: string): Promise<{ readonly store: string; readonly caller: string } | undefined> {
    const here = this.#parts.book.end(session, by)
    if (here) return here
    const asked = this.#parts.others().map((peer) => this.#ask(peer, { path: END, body: { session, by }, answer: EndAnswer }))
    return (await Promise.all(asked)).find((ended) => ended) ?? undefined
  }

  /** Settles when the store was asked to stop it. Nobody is told whether there was anything to stop. */
  async cancel(key: SessionKey): Promise<void> {
    const { self, book, others } = this.#parts
    const asked = others()
      .filter(({ other }) => isKeyOf(key, other.id))
      .map((peer) => this.#ask(peer, { path: CANCEL, body: key, answer: z.unknown(), withinMs: LIMITS.callMs }))
    await Promise.all([...asked, ...(isKeyOf(key, self) ? [book.cancel(key)] : [])])
  }

  #here(): HeldSession[] {
    return this.#parts.book.list().map((session) => sessionView(session.record, session.idleMs))
  }

  async #ask<Answer>(
    peer: Peer,
    asked: { readonly path: string; readonly body: unknown; readonly answer: z.ZodType<Answer>; readonly withinMs?: number },
  ): Promise<Answer | undefined> {
    try {
      return asked.answer.parse(await peer.call(asked.path, asked.body, AbortSignal.timeout(asked.withinMs ?? ASK_MS)))
    } catch (cause) {
      this.#parts.log.debug({ replica: peer.other.url, path: asked.path, err: cause }, 'a replica did not answer about its connections')
      return undefined
    }
  }
}
