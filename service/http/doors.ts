/** Who may come in: one hook reads what each route says it needs. */

import type { Socket } from 'node:net'
import { Fault } from '@postern/protocol/fault.ts'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Caller } from '../rights/caller.ts'
import type { Doorkeeper, Needs, NodeProof } from './needs.ts'

const EMPTY = new Uint8Array()
/** Pages of the API's description, whose routes are not ours. */
const OPEN_PAGES = /^\/docs(\/|$)/

export interface DoorParts {
  readonly doorkeeper: Doorkeeper
  readonly draining: () => boolean
  /** Who is on this connection is known. */
  readonly proven: (socket: Socket) => void
  /** Told of each route. */
  readonly onRoute: (facts: RouteFacts) => void
}

/** What a route says of who may call it. */
export interface RouteFacts {
  readonly method: string
  readonly url: string
  readonly needs: Needs
  readonly on: 'gateway' | 'store' | 'inside' | undefined
  readonly summary: string
}

export function openDoors(http: FastifyInstance, { doorkeeper, draining, proven, onRoute }: DoorParts): void {
  const proofs = new WeakMap<FastifyRequest, NodeProof>()
  http.decorateRequest('caller', null)
  http.decorateRequest('nodeId', null)
  http.decorateRequest('bodyBytes', null)

  http.addHook('onRoute', (route) => {
    if (route.config?.needs === undefined && !OPEN_PAGES.test(route.url))
      throw new Error(`Route ${String(route.method)} ${route.url} does not say what it needs.`)
    const { needs, on } = route.config ?? {}
    if (on !== undefined && on !== 'inside' && !route.url.includes(`/:${on}`))
      throw new Error(`Route ${String(route.method)} ${route.url} needs something on a ${on} that it does not name.`)
    if (needs === undefined) return
    const summary = (route.schema as { readonly summary?: string } | undefined)?.summary ?? ''
    for (const method of [route.method].flat()) if (method !== 'HEAD') onRoute({ method, url: route.url, needs, on, summary })
  })

  // Before the body is read: who is refused sends nothing.
  // Callbacks and not promises, here and below: who is known already waits for nothing.
  http.addHook('onRequest', (request, _reply, done) => {
    const needs = request.routeOptions.config.needs
    if (needs === undefined || needs === 'none') return done()
    const admit = (caller: Caller) => {
      request.caller = caller
      proven(request.socket)
      let checked: void | Promise<void>
      try {
        checked = judge(doorkeeper, caller, request)
      } catch (cause) {
        done(cause as Error)
        return
      }
      if (checked) checked.then(() => done(), done)
      else done()
    }
    const prove = (proof: NodeProof) => {
      proofs.set(request, proof)
      request.nodeId = proof.nodeId
      proven(request.socket)
      done()
    }
    const { authorization } = request.headers
    let caller: Caller | Promise<Caller>
    try {
      if (needs === 'node') {
        doorkeeper.node(authorization, request.method, request.url, request.ip).then(prove, done)
        return
      }
      if (draining()) throw new Fault('STOPPING')
      caller = doorkeeper.caller(authorization, request, request.ip)
    } catch (cause) {
      done(cause as Error)
      return
    }
    if (caller instanceof Promise) caller.then(admit, done)
    else admit(caller)
  })

  // A signature covers the bytes as they came, so they are kept until it is checked.
  const parse = http.getDefaultJsonParser('error', 'error')
  http.removeContentTypeParser('application/json')
  http.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    request.bodyBytes = body
    if (body.length === 0) done(null, undefined)
    else parse(request, body.toString('utf8'), done)
  })
  http.addHook('preValidation', (request, _reply, done) => {
    try {
      if (request.nodeId !== null) proofs.get(request)?.checkBody(request.bodyBytes ?? EMPTY)
      request.bodyBytes = null
    } catch (cause) {
      done(cause as Error)
      return
    }
    done()
  })
}

/** Fails where the route needs what the caller has not got. Synchronous where the store of the path was seen within the last second. */
function judge(doorkeeper: Doorkeeper, caller: Caller, { routeOptions, params }: FastifyRequest): void | Promise<void> {
  const { needs, on } = routeOptions.config
  if (needs === undefined || needs === 'none' || needs === 'node' || needs === 'caller' || on === 'inside') return undefined
  if (on === undefined) return caller.need(needs)
  return doorkeeper.check(caller, needs, `${on}/${(params as Readonly<Record<string, string>>)[on] ?? ''}`)
}
