import type { ServerResponse } from 'node:http'
import type { Component } from '@postern/base/lifecycle.ts'
import { Event } from '@postern/protocol/api/events.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { Name, RunId } from '@postern/protocol/ids.ts'
import { z } from 'zod'
import type { Routes } from '../http/http-server.ts'
import type { Doorkeeper } from '../http/needs.ts'
import { callerOf } from '../rights/actor.ts'
import type { Caller } from '../rights/caller.ts'
import type { EventBus } from './event-bus.ts'
import type { EventSight } from './event-sight.ts'

/** A comment so often keeps middleboxes from cutting a quiet connection; and where nothing happens, it is when who may not listen any more is sent away. */
const HEARTBEAT_MS = 5_000
/** What may wait for one client; a slower one is cut, and reads the lists again when it is back. */
const BUFFER_BYTES = 1 << 20
const MOST_CLIENTS = 1_000
/** Of one person or token: nobody takes the places of all others. */
const MOST_OF_ONE = 100
/** Events of one client that wait for an answer of the database. */
const MOST_WAITING = 10_000

const EventQuery = z.object({
  run: RunId.optional().meta({ description: 'Only events of this run' }),
  gateway: Name.optional().meta({ description: 'Only events of the nodes of this gateway' }),
  type: z.string().max(100).optional().meta({ description: 'Only these types, separated by commas: node, run, task, query' }),
})
type EventQuery = z.infer<typeof EventQuery>

/** The clients that listen by `GET /v1/events`. */
export class EventStreams implements Component {
  readonly name = 'event-streams'
  readonly #bus: EventBus
  /** And whose they are. */
  readonly #open = new Map<ServerResponse, string>()
  #stopped = false

  constructor(bus: EventBus) {
    this.#bus = bus
  }

  get size(): number {
    return this.#open.size
  }

  async start(): Promise<void> {}

  async drain(): Promise<void> {
    await this.stop()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const raw of this.#open.keys()) raw.end()
  }

  /** Takes over the response. `sees`: whether this client may hear of it now; rejects when it may not listen any more. */
  serve(raw: ServerResponse, wanted: EventQuery, sees: Sees = () => true, who = ''): void {
    if (this.#stopped) throw new Fault('STOPPING')
    if (this.#open.size >= MOST_CLIENTS) throw new Fault('SESSIONS_AT_LIMIT', { at: `${MOST_CLIENTS} clients listen to events.` })
    const own = [...this.#open.values()].filter((other) => other === who).length
    if (own >= MOST_OF_ONE) throw new Fault('SESSIONS_AT_LIMIT', { at: `${MOST_OF_ONE} streams of events of one person or token.` })
    raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
    raw.write(': postern\n\n')
    const matches = filterOf(wanted)
    const told = inOrder(raw, sees)
    const forget = this.#bus.listen((event) => {
      if (matches(event)) told(event)
    })
    const heartbeat = setInterval(() => told(undefined), HEARTBEAT_MS)
    this.#open.set(raw, who)
    raw.once('close', () => {
      forget()
      clearInterval(heartbeat)
      this.#open.delete(raw)
    })
  }
}

export interface EventRouteParts {
  readonly streams: EventStreams
  readonly sight: EventSight
  readonly doorkeeper: Pick<Doorkeeper, 'caller'>
}

export const eventRoutes =
  ({ streams, sight, doorkeeper }: EventRouteParts): Routes =>
  async (http) => {
    http.get(
      '/v1/events',
      {
        schema: {
          summary: 'What happens, as it happens (Server-Sent Events)',
          description: `Each event is one JSON object; the SSE event name is its \`type\`: ${Event.options.map((option) => option.shape.type.value).join(', ')}.`,
          tags: ['events'],
          querystring: EventQuery,
        },
        config: { needs: 'caller' },
      },
      async (request, reply) => {
        // Asked anew for each event, from what is known for a second: a stream does not outlive the rights that it was opened with.
        const { authorization } = request.headers
        const sees: Sees = (event) => {
          const caller = doorkeeper.caller(authorization, request)
          const judge = (known: Caller) => event === undefined || sight.sees(known, event)
          return caller instanceof Promise ? caller.then(judge) : judge(caller)
        }
        streams.serve(reply.raw, request.query, sees, callerOf(request).principal)
        reply.hijack()
      },
    )
  }

/** Whether this client may hear of an event; undefined: whether it may listen at all. */
type Sees = (event: Event | undefined) => boolean | Promise<boolean>

/** Tells one client, in the order in which things happened, also where one must first be asked about. */
function inOrder(raw: ServerResponse, sees: Sees): (event: Event | undefined) => void {
  let waiting = 0
  let last: Promise<void> = Promise.resolve()
  const textOf = (event: Event | undefined) => (event ? `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n` : ':\n\n')
  const askedOf = (event: Event | undefined) => {
    try {
      return sees(event)
    } catch (cause) {
      return Promise.reject(cause)
    }
  }
  return (event) => {
    const asked = askedOf(event)
    if (waiting === 0 && !(asked instanceof Promise)) {
      if (asked) send(raw, textOf(event))
      return
    }
    // Of what waits there is an end too.
    if (waiting >= MOST_WAITING) return void raw.destroy()
    waiting += 1
    const before = last
    last = Promise.resolve(asked).then(
      async (shown) => {
        await before
        waiting -= 1
        if (shown) send(raw, textOf(event))
      },
      () => {
        waiting -= 1
        raw.end()
      },
    )
  }
}

function send(raw: ServerResponse, text: string): void {
  if (raw.destroyed || raw.writableEnded) return
  if (raw.writableLength > BUFFER_BYTES) raw.destroy()
  else raw.write(text)
}

function filterOf({ run, gateway, type }: EventQuery): (event: Event) => boolean {
  const types = type === undefined ? undefined : new Set(type.split(','))
  return (event) => {
    if (types && !types.has(event.type)) return false
    if (run !== undefined && !('run' in event && event.run === run)) return false
    return gateway === undefined || ('gateway' in event && event.gateway === gateway)
  }
}
