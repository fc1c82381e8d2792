import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { parseAnswer } from './answer.ts'
import { parseServiceUrl } from './service-url.ts'

const url = new URL('https://postern.example')
const Schema = z.object({ ok: z.boolean() })
const codeOf = (answer: { status: number; type: string; text: string }) => {
  try {
    parseAnswer(url, answer, Schema)
    return 'none'
  } catch (cause) {
    return (cause as { code: string }).code
  }
}

describe('what answers is', () => {
  test.each([
    ['a service', { status: 200, type: 'application/json', text: '{"ok":true}' }, 'none'],
    ['a web page', { status: 200, type: 'text/html', text: '<html>' }, 'NOT_A_SERVICE'],
    ['other JSON', { status: 200, type: 'application/json', text: '{"ok":1}' }, 'NOT_A_SERVICE'],
    ['a redirect', { status: 302, type: '', text: '' }, 'NOT_A_SERVICE'],
    ['a web server without the path', { status: 404, type: 'text/html', text: 'no' }, 'NOT_A_SERVICE'],
    ['a load balancer', { status: 503, type: 'text/html', text: 'no' }, 'SERVICE_UNREACHABLE'],
    ['a fault', { status: 403, type: 'application/problem+json', text: '{"code":"KEY_INVALID","title":"no"}' }, 'KEY_INVALID'],
    ['a fault of a newer service', { status: 409, type: 'application/problem+json', text: '{"code":"NEW","title":"no"}' }, 'INTERNAL'],
  ])('%s', (_what, answer, code) => {
    expect(codeOf(answer)).toBe(code)
  })
})

test('the detail of a problem is the message of the fault', () => {
  const text = JSON.stringify({ code: 'KEY_INVALID', title: 'short', detail: 'long', remedy: 'do this' })

  expect(() => parseAnswer(url, { status: 403, type: 'application/problem+json', text }, Schema)).toThrow(
    expect.objectContaining({ message: 'long', remedy: 'do this' }),
  )
})

test.each(['postern.example', 'ftp://x', 'https://user@x', 'https://x/?a=1'])('"%s" is no address of a service', (text) => {
  expect(() => parseServiceUrl(text)).toThrow('--url')
})
