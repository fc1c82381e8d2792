import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import type { Random } from '@postern/base/random.ts'
import { Rounds } from '@postern/base/rounds.ts'
import type { GatewaySettings } from '@postern/protocol/api/gateways.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { newId, type ReplicaId, type SessionId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { NODE_PATHS } from '@postern/protocol/link.ts'
import type { LinkRegistry } from '../links/link-registry.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import { Session } from './session.ts'
import { newSessionKey } from './session-keys.ts'
import type { SessionRecord } from './session-record.ts'
import type { SessionKey } from './wire-messages.ts'

/** How often idle and old connections are looked for. */
const SWEEP_MS = 1_000
/** How often it is asked who may still be there. */
const RIGHTS_MS = 5_000

export interface SessionBookParts {
  readonly self: ReplicaId
  readonly nodes: Pick<NodeDirectory, 'gateway' | 'get' | 'onChange'>
  readonly links: Pick<LinkRegistry, 'call'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export type NewSession = Pick<
  SessionRecord,
  'kind' | 'store' | 'storeId' | 'gatewayId' | 'caller' | 'callerId' | 'principal' | 'application' | 'address'
>

/** The most that may be open at a time, as store and token have it. */
export interface SessionLimits {
  readonly ofStore: number | undefined
  readonly ofToken: number | undefined
}

interface Held {
  readonly session: Session
  readonly stillMay: (() => Promise<unknown>) | undefined
  readonly key: string
}

/** The connections that are open on this replica: how many there may be, how long, and how one is found that is to be cancelled. */
export class SessionBook implements Component {
  readonly name = 'sessions'
  readonly #parts: SessionBookParts
  readonly #open = new Map<SessionId, Held>()
  readonly #byKey = new Map<string, Session>()
  readonly #rounds: readonly Rounds[]
  #forget: (() => void) | undefined
  #draining = false
  #emptied: (() => void) | undefined

  constructor(parts: SessionBookParts) {
    this.#parts = parts
    const { clock, log } = parts
    const failed = (cause: unknown) => log.error({ err: cause }, 'connections not looked at')
    this.#rounds = [
      new Rounds({ everyMs: SWEEP_MS, clock, round: () => this.#checkAll(), failed }),
      new Rounds({ everyMs: RIGHTS_MS, clock, round: () => this.#checkRights(), failed }),
    ]
  }

  async start(): Promise<void> {
    // A draining node is not waited for by the sweep: what is between two transactions moves at once.
    this.#forget ??= this.#parts.nodes.onChange(({ node }) => {
      for (const { session } of this.#open.values()) if (session.record.nodeId === node.id) this.#check(session)
    })
    for (const rounds of this.#rounds) rounds.start()
  }

  /** Each ends after its transaction; at the deadline all do. */
  async drain(deadline: AbortSignal): Promise<void> {
    this.#draining = true
    this.#checkAll()
    if (this.#open.size > 0 && !deadline.aborted) {
      await new Promise<void>((resolve) => {
        this.#emptied = resolve
        deadline.addEventListener('abort', () => resolve(), { once: true })
      })
    }
    for (const { session } of this.#open.values()) session.end(stopping(), true)
  }

  async stop(): Promise<void> {
    this.#draining = true
    this.#forget?.()
    for (const { session } of this.#open.values()) session.end(stopping(), true)
    await Promise.all(this.#rounds.map((rounds) => rounds.stop()))
  }

  list(): readonly Session[] {
    return [...this.#open.values()].map(({ session }) => session).reverse()
  }

  /** Takes a place; give it back with `remove`. `stillMay` rejects once the rights are gone. Fails with SESSIONS_AT_LIMIT and the name of the limit. */
  add(
    asked: NewSession,
    limits: SessionLimits,
    stillMay?: () => Promise<unknown>,
  ): { readonly session: Session; readonly key: SessionKey } {
    if (this.#draining) throw new Fault('STOPPING')
    const { clock, random, nodes } = this.#parts
    const gateway = nodes.gateway(asked.gatewayId)
    this.#admit(asked, limits, gateway?.settings)
    const record: SessionRecord = {
      ...asked,
      id: newId<SessionId>('ses', random.bytes),
      gateway: gateway?.name ?? asked.gatewayId,
      startedAt: clock.now(),
      node: null,
      nodeId: null,
      way: null,
      queuedMs: 0,
      bytesIn: 0,
      bytesOut: 0,
      candidates: [],
      passed: [],
    }
    const session = new Session(record, clock)
    const key = this.#newKey()
    const held = { session, key: keyText(key), stillMay }
    this.#open.set(record.id, held)
    this.#byKey.set(held.key, session)
    return { session, key }
  }

  remove(session: Session): void {
    const held = this.#open.get(session.record.id)
    if (!held) return
    this.#open.delete(session.record.id)
    this.#byKey.delete(held.key)
    if (this.#open.size === 0) this.#emptied?.()
  }

  /** What a client asks for on a connection of its own; like PostgreSQL it is not told whether there was anything to cancel. */
  async cancel(key: SessionKey): Promise<void> {
    const record = this.#byKey.get(keyText(key))?.record
    if (record?.nodeId) {
      await this.#parts.links.call(record.nodeId, NODE_PATHS.cancelWire, { session: record.id }, AbortSignal.timeout(LIMITS.callMs))
    }
  }

  /** Ends it now, whatever it does; undefined where there is no such session on this replica. */
  end(id: SessionId, by: string): SessionRecord | undefined {
    const session = this.#open.get(id)?.session
    session?.end(new Fault('SESSION_ENDED', { at: `${by} ended it.` }), true)
    return session?.record
  }

  /** It may have been opened while its node began to drain. */
  opened(session: Session): void {
    this.#check(session)
  }

  #newKey(): SessionKey {
    for (;;) {
      const key = newSessionKey(this.#parts.self, this.#parts.random.bytes)
      if (!this.#byKey.has(keyText(key))) return key
    }
  }

  #admit(asked: NewSession, limits: SessionLimits, settings: GatewaySettings | undefined): void {
    const { store, storeId, caller, callerId, gatewayId } = asked
    const { sessionsPerStore = 0, sessionsPerCaller = 0 } = settings ?? {}
    let [ofStore, ofCaller, ofToken] = [0, 0, 0]
    for (const { session } of this.#open.values()) {
      const { record } = session
      if (record.storeId === storeId) ofStore += 1
      if (record.caller === caller && record.gatewayId === gatewayId) ofCaller += 1
      if (record.callerId === callerId) ofToken += 1
    }
    const full = (at: string) => new Fault('SESSIONS_AT_LIMIT', { at })
    if (sessionsPerStore > 0 && ofStore >= sessionsPerStore) throw full(`Store ${store} has ${ofStore} (sessionsPerStore).`)
    if (sessionsPerCaller > 0 && ofCaller >= sessionsPerCaller) throw full(`${caller} has ${ofCaller} (sessionsPerCaller).`)
    if (limits.ofStore !== undefined && ofStore >= limits.ofStore)
      throw full(`The limit is connections ${limits.ofStore} of store ${store}.`)
    if (limits.ofToken !== undefined && ofToken >= limits.ofToken)
      throw full(`The limit is connections ${limits.ofToken} of token ${caller}.`)
  }

  /** Ends what has to end. */
  #check(session: Session): void {
    const why = this.#draining ? { fault: stopping(), now: false } : this.#whyEnd(session)
    if (why) session.end(why.fault, why.now)
  }

  #whyEnd(session: Session): { readonly fault: Fault; readonly now: boolean } | undefined {
    const { kind, nodeId, node: name, gatewayId } = session.record
    const because = (at: string, now: boolean) => ({ fault: new Fault('SESSION_ENDED', { at }), now })
    const node = nodeId ? this.#parts.nodes.get(nodeId) : undefined
    if (nodeId && !node) return because(`Node ${name} was deleted.`, true)
    if (node && (node.draining || !node.enabled)) {
      return because(`Node ${node.name} is ${node.draining ? 'draining' : 'disabled'}: connect again for another one.`, false)
    }
    const { sessionIdleSeconds = 0, sessionLifeSeconds = 0 } = this.#parts.nodes.gateway(gatewayId)?.settings ?? {}
    if (sessionIdleSeconds > 0 && session.waits && session.idleMs > sessionIdleSeconds * 1_000)
      return because(`Nothing has moved for ${sessionIdleSeconds} s (sessionIdleSeconds).`, true)
    if (sessionLifeSeconds > 0 && this.#parts.clock.monotonic() - session.startedAt > sessionLifeSeconds * 1_000)
      return because(`It was open for ${sessionLifeSeconds} s (sessionLifeSeconds).`, kind === 'connect')
    return undefined
  }

  #checkAll(): void {
    for (const { session } of this.#open.values()) this.#check(session)
  }

  /** Who may not be there any more is put out, whatever runs. Who cannot be asked about while the database is away stays. */
  async #checkRights(): Promise<void> {
    await Promise.all(
      [...this.#open.values()].map(async ({ session, stillMay }) => {
        try {
          await stillMay?.()
        } catch (cause) {
          const { kind, message } = Fault.from(cause)
          if (kind === 'denied' || kind === 'missing') session.end(new Fault('SESSION_ENDED', { at: message, cause }), true)
        }
      }),
    )
  }
}

const keyText = ({ processId, secretKey }: SessionKey): string => `${processId}/${secretKey}`
const stopping = () => new Fault('SESSION_ENDED', { at: 'The service is stopping: connect again.' })
