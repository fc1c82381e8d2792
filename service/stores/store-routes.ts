import { CONNECTORS } from '@postern/connectors/registry.ts'
import { StoreChange } from '@postern/protocol/api/lists.ts'
import { StoreKinds } from '@postern/protocol/api/store-kinds.ts'
import { StoreCreate, StoreView } from '@postern/protocol/api/stores.ts'
import { Name, StoreId } from '@postern/protocol/ids.ts'
import { SERVICE_PATHS } from '@postern/protocol/link.ts'
import { NodeStore, StoresAnswer, StoresAsked } from '@postern/protocol/node-api.ts'
import { z } from 'zod'
import type { Routes } from '../http/http-server.ts'
import { PageQuery, page, pageOf, readCursor } from '../http/paging.ts'
import { nodeOf } from '../nodes/node-call-routes.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import { actorOf, byOf, callerOf } from '../rights/actor.ts'
import { kindView } from './store-kinds.ts'
import type { StoreService } from './store-service.ts'

const Params = z.object({ store: Name })
/** They change with the program only. */
const KINDS = { items: [...CONNECTORS.values()].map(kindView) }

export const storeRoutes =
  (parts: { readonly stores: StoreService; readonly nodes: NodeDirectory }): Routes =>
  async (http) => {
    const { stores, nodes } = parts

    http.get(
      '/v1/store-kinds',
      {
        schema: {
          summary: 'List the kinds of store, with the JSON schema of their settings',
          description:
            'Settings marked `secret` go sealed; those marked `audience` say where secrets go, and a sealed secret is bound to them.',
          tags: ['stores'],
          response: { 200: StoreKinds },
        },
        config: { needs: 'caller' },
      },
      () => KINDS,
    )

    http.get(
      '/v1/stores',
      {
        schema: { summary: 'List the stores', tags: ['stores'], querystring: PageQuery, response: { 200: pageOf(StoreView) } },
        config: { needs: 'stores:read', on: 'inside' },
      },
      async (request) => {
        const { limit, cursor } = request.query
        return page(
          await stores.page(readCursor(cursor) ?? '', limit + 1, callerOf(request)),
          limit,
          ({ name }) => name,
          (row) => stores.view(row),
        )
      },
    )

    http.post(
      '/v1/stores',
      {
        schema: { summary: 'Create a store; its secrets come sealed', tags: ['stores'], body: StoreCreate, response: { 201: StoreView } },
        config: { needs: 'stores:create', on: 'inside' },
      },
      async (request, reply) => reply.code(201).send(await stores.create(request.body, byOf(request))),
    )

    http.get(
      '/v1/stores/:store',
      {
        schema: { summary: 'Show a store', tags: ['stores'], params: Params, response: { 200: StoreView } },
        config: { needs: 'stores:read', on: 'store' },
      },
      ({ params }) => stores.show(params.store),
    )

    http.patch(
      '/v1/stores/:store',
      {
        schema: {
          summary: 'Replace settings or credential of a store',
          tags: ['stores'],
          params: Params,
          body: StoreChange,
          response: { 200: StoreView },
        },
        config: { needs: 'stores:write', on: 'store' },
      },
      (request) => stores.change(request.params.store, request.body, actorOf(request)),
    )

    http.delete(
      '/v1/stores/:store',
      {
        schema: {
          summary: 'Delete a store; what it leads to is not touched',
          tags: ['stores'],
          params: Params,
          response: { 204: z.null() },
        },
        config: { needs: 'stores:write', on: 'store' },
      },
      async (request, reply) => {
        await stores.delete(request.params.store, actorOf(request))
        return reply.code(204).send(null)
      },
    )

    http.post(
      SERVICE_PATHS.stores,
      {
        schema: {
          summary: "What is new among the stores of the node's own gateway, credentials still sealed",
          tags: ['calls of nodes'],
          body: StoresAsked,
          response: { 200: StoresAnswer },
        },
        config: { needs: 'node' },
      },
      (request) => stores.newsForNode(request.body, nodeOf(nodes, request).gatewayId),
    )

    http.get(
      '/v1/node/stores/:id',
      {
        schema: {
          summary: "A store of the node's own gateway, its credential still sealed",
          tags: ['calls of nodes'],
          params: z.object({ id: StoreId }),
          response: { 200: NodeStore },
        },
        config: { needs: 'node' },
      },
      (request) => stores.forNode(request.params.id, nodeOf(nodes, request).gatewayId),
    )
  }
