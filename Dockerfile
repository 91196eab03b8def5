# Two stages: the compiler and its packages stay behind. The image holds no redis-server, so an
# upstream must be given: docker run -e SIDETRACK_UPSTREAM=redis://host:6379 sidetrack

FROM node:22.21-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build

FROM node:22.21-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production \
    SIDETRACK_LISTEN=0.0.0.0:6380 \
    SIDETRACK_ADMIN=0.0.0.0:9380
COPY package.json package-lock.json .npmrc LICENSE ./
RUN npm ci --omit=dev && npm cache clean --force
COPY --from=build /app/dist ./dist

# By number, so that Kubernetes can see that it is not root.
USER 1000:1000
EXPOSE 6380 9380
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9380/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/cli.js"]
