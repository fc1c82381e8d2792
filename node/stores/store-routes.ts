import type { Clock } from '@postern/base/clock.ts'
import type { StoreTested } from '@postern/protocol/console-api.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { BrowseOrder, NODE_PATHS, StoreOrder } from '@postern/protocol/link.ts'
import type { StoreRef } from '@postern/protocol/node-api.ts'
import { parseBody } from '../app/parse.ts'
import { answer, type Request, type Route } from '../app/router.ts'
import type { StoreSessions } from './store-sessions.ts'

interface StoreRoutesParts {
  readonly stores: StoreSessions
  readonly clock: Clock
}

/** How long a test or a browse may take; the service gives up at about the same time. */
const LOOK_MS = 3 * LIMITS.callMs

/** Whether this node reaches a store and may use it. */
export async function testStore({ stores, clock }: StoreRoutesParts, store: StoreRef): Promise<StoreTested> {
  const since = clock.monotonic()
  const took = () => Math.round((clock.monotonic() - since) * 10) / 10
  try {
    const { server } = await stores.use(store, (session) => session.check(AbortSignal.timeout(LOOK_MS)))
    return { ok: true, durationMs: took(), server }
  } catch (cause) {
    const { code, message, remedy } = Fault.from(cause)
    return { ok: false, durationMs: took(), fault: { code, message, remedy } }
  }
}

export function storeRoutes({ stores, clock }: StoreRoutesParts): Readonly<Record<string, Route>> {
  return {
    [NODE_PATHS.testStore]: {
      doors: ['link'],
      handle: async ({ stream, body }) => {
        const { store } = parseBody(StoreOrder, body)
        answer(stream, await testStore({ stores, clock }, store))
      },
    },
    [NODE_PATHS.browseStore]: {
      doors: ['link'],
      handle: async (request: Request) => {
        const { store, path } = parseBody(BrowseOrder, request.body)
        const gone = new AbortController()
        request.stream.once('close', () => gone.abort())
        const until = AbortSignal.any([gone.signal, AbortSignal.timeout(LOOK_MS)])
        answer(request.stream, await stores.use(store, (session) => session.browse(path, until)))
      },
    },
  }
}
