import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { mockServer } from './mock/server.ts';

const staticDirectory = fileURLToPath(new URL('../src/runyard/web/static', import.meta.url));

// `npm run dev` talks to the made-up yard of mock/, or to a real server named by RUNYARD_URL.
const server = process.env['RUNYARD_URL'];

export default defineConfig({
  plugins: server ? [] : [mockServer()],
  build: {
    outDir: staticDirectory,
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      // Libraries mark modules for server rendering, which is of no concern to pages built once.
      onwarn: (warning, warn) => {
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning);
      },
    },
  },
  server: {
    host: '127.0.0.1',
    // The Host header stays the browser's: the server checks a write's Origin against it.
    proxy: server ? { '/api': { target: server, changeOrigin: false } } : {},
  },
});
