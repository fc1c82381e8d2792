import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** Built by `npm ci`; the service serves `dist`. Nothing is loaded from elsewhere: fonts are the machine's own. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { '/v1': process.env['POSTERN_URL'] ?? 'http://127.0.0.1:7400' } },
  logLevel: 'warn',
})
