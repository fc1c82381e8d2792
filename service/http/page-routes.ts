import { Fault } from '@postern/protocol/fault.ts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Routes } from './http-server.ts'
import { type PageFile, readPages } from './page-files.ts'

const NOT_BUILT = `<!doctype html><title>Postern</title><p>The pages of the portal were not built: run <code>npm run build</code> in the folder of Postern.
The service itself works: <a href="/docs">/docs</a> describes its API.`

/** The portal: its files, and for every other address that a browser asks for its one page, which knows what to show there. */
export const pageRoutes =
  (folder: string): Routes =>
  async (http) => {
    const files = await readPages(folder)
    const page = files.get('/index.html') ?? {
      type: 'text/html; charset=utf-8',
      bytes: Buffer.from(NOT_BUILT),
      gzip: undefined,
      forEver: false,
    }

    http.get('/*', { schema: { hide: true }, config: { needs: 'none' } }, (request, reply) => {
      const path = request.url.split('?')[0] ?? '/'
      const file = files.get(path)
      if (file) return send(file, request, reply)
      if (path.startsWith('/v1/') || path.startsWith('/assets/') || !request.headers.accept?.includes('text/html'))
        throw new Fault('ROUTE_UNKNOWN', { at: `${request.method} ${path}` })
      return send(page, request, reply)
    })
  }

function send({ type, bytes, gzip, forEver }: PageFile, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.type(type).header('vary', 'accept-encoding')
  if (forEver) reply.header('cache-control', 'public, max-age=31536000, immutable')
  const small = gzip && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')
  return small ? reply.header('content-encoding', 'gzip').send(gzip) : reply.send(bytes)
}
