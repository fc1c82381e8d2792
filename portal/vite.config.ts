import { join } from 'node:path'
import { pagesConfig } from './pages-config.ts'

/** Built by `npm ci`; the service serves `dist`. */
export default pagesConfig({
  root: import.meta.dirname,
  publicDir: join(import.meta.dirname, 'public'),
  proxy: { '/v1': process.env['POSTERN_URL'] ?? 'http://127.0.0.1:7400' },
})
