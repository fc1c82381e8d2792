import { Catalog, StoreTest, StoreTestResult } from '@postern/protocol/api/stores.ts'
import { Name } from '@postern/protocol/ids.ts'
import { z } from 'zod'
import type { Routes } from '../http/http-server.ts'
import type { StoreProbe } from './store-probe-service.ts'

const params = z.object({ store: Name })

/** Looks at a store through a node, on the very path that queries take. */
export const storeProbeRoutes =
  ({ probe }: { readonly probe: StoreProbe }): Routes =>
  async (http) => {
    http.post(
      '/v1/stores/:store/test',
      {
        schema: {
          summary: 'Sign in to a store from one node',
          tags: ['stores'],
          params,
          body: StoreTest.optional(),
          response: { 200: StoreTestResult },
        },
        config: { needs: 'stores:query', on: 'store' },
      },
      async ({ params: { store }, body }) => await probe.test(store, body?.node),
    )

    http.get(
      '/v1/stores/:store/catalog',
      {
        schema: {
          summary: 'One level of what a store holds',
          tags: ['stores'],
          params,
          querystring: z.object({ path: z.string().max(4_096).default(''), node: Name.optional() }),
          response: { 200: Catalog },
        },
        config: { needs: 'stores:query', on: 'store' },
      },
      async ({ params: { store }, query: { path, node } }) => await probe.browse(store, path, node),
    )
  }
