import { Fault } from '@postern/protocol/fault.ts'
import { type NodeId, TaskId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { RelayDispatch, SERVICE_PATHS } from '@postern/protocol/link.ts'
import {
  AttemptFinished,
  AttemptProgress,
  AttemptStarted,
  DispatchResponse,
  FinishedResponse,
  ProgressResponse,
  PullRequest,
  PullResponse,
} from '@postern/protocol/task-api.ts'
import { z } from 'zod'
import type { Routes } from '../http/http-server.ts'
import type { DispatchService } from './dispatch-service.ts'
import type { ReportService } from './report-service.ts'

export interface RunNodeRouteParts {
  readonly dispatch: DispatchService
  readonly reports: ReportService
}

const attempt = z.object({ task: TaskId, attempt: z.coerce.number().int().min(1) })
const hidden = { hide: true } as const
const config = { needs: 'node' } as const

/** What nodes say of tasks. */
export const runNodeRoutes =
  ({ dispatch, reports }: RunNodeRouteParts): Routes =>
  async (http) => {
    http.post(
      SERVICE_PATHS.pull,
      { schema: { ...hidden, body: PullRequest, response: { 200: PullResponse } }, config },
      async ({ nodeId, body, raw }, reply) => {
        const gone = new AbortController()
        reply.raw.once('close', () => gone.abort())
        const orders = await dispatch.pull(known(nodeId), body, gone.signal)
        if (!gone.signal.aborted && !raw.socket.destroyed) return { orders }
        await dispatch.giveBack(orders)
        return { orders: [] }
      },
    )

    http.post(
      SERVICE_PATHS.relayDispatch,
      { schema: { ...hidden, body: RelayDispatch, response: { 200: DispatchResponse } }, config, bodyLimit: LIMITS.orderBytes },
      async ({ nodeId, body }) => await dispatch.relay(known(nodeId), body.worker, body.order),
    )

    const path = (step: Parameters<typeof SERVICE_PATHS.attempt>[2]) => `/v1/node/tasks/:task/attempts/:attempt/${step}`
    http.post(
      path('started'),
      { schema: { ...hidden, params: attempt, body: AttemptStarted }, config },
      async ({ nodeId, params, body }, reply) => {
        await reports.started(known(nodeId), params, body.epoch)
        return reply.code(204).send()
      },
    )

    http.post(
      path('progress'),
      { schema: { ...hidden, params: attempt, body: AttemptProgress, response: { 200: ProgressResponse } }, config },
      async ({ nodeId, params, body }) => {
        const { epoch, ...counters } = body
        return { limits: await reports.progress(known(nodeId), params, epoch, counters) }
      },
    )

    http.post(
      path('finished'),
      {
        schema: { ...hidden, params: attempt, body: AttemptFinished, response: { 200: FinishedResponse } },
        config,
        bodyLimit: LIMITS.orderBytes,
      },
      async ({ nodeId, params, body }) => {
        const node = known(nodeId)
        const { fresh, wake } = await reports.finished(node, params, body)
        if (!fresh || !body.more) {
          if (wake) dispatch.wake(node)
          return { next: null }
        }
        const after = body.outcome === 'finished' || body.outcome === 'cleaned' ? undefined : params.task
        return { next: (await dispatch.next(node, { epoch: body.epoch, after, wake })) ?? null }
      },
    )
  }

function known(nodeId: NodeId | null): NodeId {
  if (!nodeId) throw new Fault('NODE_PROOF_INVALID')
  return nodeId
}
