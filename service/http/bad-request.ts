import type { Socket } from 'node:net'
import { Fault } from '@postern/protocol/fault.ts'
import type { FastifyInstance } from 'fastify'
import { headersOf, type Problem, problemOf } from './problem.ts'

type ClientError = Error & { readonly code?: string }
type ClientSocket = Socket

const STATUS: Readonly<Record<string, readonly [status: number, at: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The headers are larger than 16 KiB.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not come in time.'],
}

/** Answers what is no HTTP, or comes too slowly, before there is a request: the same form as every other fault, and the end of the connection. */
export function answerBadRequest(this: FastifyInstance, error: ClientError, socket: ClientSocket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return void socket.destroy()
  if (!socket.writable) return void socket.destroy(error)
  const [status, at] = STATUS[error.code ?? ''] ?? [400, 'It is not HTTP.']
  const fault = new Fault('INPUT_INVALID', { at })
  const body = JSON.stringify({ ...problemOf(fault, 'none'), status } satisfies Problem)
  const headers = Object.entries(headersOf(fault)).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `HTTP/1.1 ${status} Bad Request\r\nconnection: close\r\n${headers.join('')}content-length: ${Buffer.byteLength(body)}\r\n\r\n`
  socket.end(head + body, () => socket.destroy())
}
