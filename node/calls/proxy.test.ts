import { describe, expect, test } from 'vitest'
import { proxyFromEnvironment } from './proxy.ts'

const proxyOf = (target: string, environment: Record<string, string>) => proxyFromEnvironment(new URL(target), environment)?.href

test('each scheme has its proxy, and ALL_PROXY is for both', () => {
  const environment = { HTTPS_PROXY: 'http://secure:3128', http_proxy: 'plain:8080' }

  expect(proxyOf('https://postern.example', environment)).toBe('http://secure:3128/')
  expect(proxyOf('http://postern.example', environment)).toBe('http://plain:8080/')
  expect(proxyOf('http://postern.example', { ALL_PROXY: 'http://all:1' })).toBe('http://all:1/')
  expect(proxyOf('https://postern.example', {})).toBeUndefined()
})

describe('NO_PROXY', () => {
  test.each([
    ['postern.example', true],
    ['example', true],
    ['.example', true],
    ['*.example', true],
    ['*', true],
    ['other, postern.example:443', true],
    ['postern.example:8443', false],
    ['stern.example', false],
    ['', false],
  ])('"%s" exempts: %s', (list, exempt) => {
    const proxy = proxyOf('https://postern.example', { HTTPS_PROXY: 'http://p:1', NO_PROXY: list })

    expect(proxy === undefined).toBe(exempt)
  })
})

test('a proxy that is no address is refused', () => {
  expect(() => proxyOf('https://postern.example', { HTTPS_PROXY: 'socks5://p:1' })).toThrow('HTTPS_PROXY')
})
