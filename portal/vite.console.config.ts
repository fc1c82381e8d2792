import { join } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** The configuration manager: a page of its own, which each node serves from `console/dist` on its loopback address. */
export default defineConfig({
  root: join(import.meta.dirname, 'console'),
  publicDir: join(import.meta.dirname, 'public'),
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { '^/(api|status)': process.env['POSTERN_CONSOLE'] ?? 'http://127.0.0.1:8051' } },
  logLevel: 'warn',
})
