import { CopyRequest, RunStatus, RunSummary, RunView } from '@postern/protocol/api/runs.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { Name, RunId } from '@postern/protocol/ids.ts'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { AuditLog } from '../audit/audit-log.ts'
import type { Routes } from '../http/http-server.ts'
import { PageQuery, page, pageOf, readCursor } from '../http/paging.ts'
import { actorOf, callerOf } from '../rights/actor.ts'
import { runSummary } from './run-record.ts'
import type { RunPlace } from './run-repository.ts'
import type { RunService } from './run-service.ts'

const RunList = PageQuery.extend({
  gateway: Name.optional().meta({ description: 'Only runs on this gateway' }),
  status: z
    .enum([...RunStatus.options, 'active'])
    .optional()
    .meta({ description: 'Only runs in this status; `active`: queued or running' }),
  text: z.string().min(1).max(200).optional().meta({ description: 'Only runs with this in their name or id, or started by such a name' }),
})
const params = z.object({ run: RunId })

export interface RunRouteParts {
  readonly runs: RunService
  readonly audit: Pick<AuditLog, 'record'>
}

export const runRoutes =
  ({ runs, audit }: RunRouteParts): Routes =>
  async (http) => {
    const record = async (action: string, run: z.infer<typeof RunView>, request: FastifyRequest) =>
      await audit.record({ ...actorOf(request), action, target: `run ${run.id}`, details: { name: run.name } })

    http.post(
      '/v1/copies',
      {
        schema: { summary: 'Copy from one store to another', tags: ['runs'], body: CopyRequest, response: { 202: RunView } },
        config: { needs: 'runs:write', on: 'inside' },
      },
      async (request, reply) => {
        const run = await runs.create(request.body, callerOf(request))
        await record('run.create', run, request)
        return reply.code(202).send(run)
      },
    )

    http.get(
      '/v1/runs',
      {
        schema: { summary: 'Runs, newest first', tags: ['runs'], querystring: RunList, response: { 200: pageOf(RunSummary) } },
        config: { needs: 'runs:read', on: 'inside' },
      },
      async (request) => {
        const { limit, cursor, gateway, status, text } = request.query
        const rows = await runs.page({ gateway, status, text }, placeOf(cursor), limit + 1, callerOf(request))
        return page(rows, limit, ({ createdUs, id }) => `${createdUs}/${id}`, runSummary)
      },
    )

    http.get(
      '/v1/runs/:run',
      {
        schema: { summary: 'One run with its tasks and attempts', tags: ['runs'], params, response: { 200: RunView } },
        config: { needs: 'runs:read', on: 'inside' },
      },
      async (request) => await runs.get(request.params.run, callerOf(request)),
    )

    http.post(
      '/v1/runs/:run/cancel',
      {
        schema: { summary: 'Stop a run and take away what it wrote aside', tags: ['runs'], params, response: { 202: RunView } },
        config: { needs: 'runs:write', on: 'inside' },
      },
      async (request, reply) => {
        const run = await runs.cancel(request.params.run, callerOf(request))
        await record('run.cancel', run, request)
        return reply.code(202).send(run)
      },
    )

    http.post(
      '/v1/runs/:run/rerun',
      {
        schema: { summary: 'Go on with what did not succeed', tags: ['runs'], params, response: { 202: RunView } },
        config: { needs: 'runs:write', on: 'inside' },
      },
      async (request, reply) => {
        const run = await runs.rerun(request.params.run, callerOf(request))
        await record('run.rerun', run, request)
        return reply.code(202).send(run)
      },
    )

    http.post(
      '/v1/runs/:run/repair',
      {
        schema: {
          summary: 'Verify again, and copy again only the parts that differ',
          tags: ['runs'],
          params,
          response: { 202: RunView },
        },
        config: { needs: 'runs:write', on: 'inside' },
      },
      async (request, reply) => {
        const run = await runs.repair(request.params.run, callerOf(request))
        await record('run.repair', run, request)
        return reply.code(202).send(run)
      },
    )
  }

function placeOf(cursor: string | undefined): RunPlace | undefined {
  const text = readCursor(cursor)
  if (text === undefined) return undefined
  const [createdUs = '', id = ''] = text.split('/')
  if (!/^\d{1,16}$/.test(createdUs)) throw new Fault('INPUT_INVALID', { at: 'query cursor: not one of ours.' })
  return { createdUs: Number(createdUs), id }
}
