import { join } from 'node:path'
import { pagesConfig } from './pages-config.ts'

/** The configuration manager: a page of its own, which each node serves from `console/dist` on its loopback address. */
export default pagesConfig({
  root: join(import.meta.dirname, 'console'),
  publicDir: join(import.meta.dirname, 'public'),
  proxy: { '^/(api|status)': process.env['POSTERN_CONSOLE'] ?? 'http://127.0.0.1:8051' },
})
