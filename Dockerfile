# The image of the proxy: Node, the packages that it imports, and the program. It holds no
# redis-server, so an upstream must be named:
#   docker build -t sidetrack .
#   docker run -e SIDETRACK_UPSTREAM=redis://host:6379 -p 127.0.0.1:6380:6380 sidetrack

# The one place that says which Node: a long-term release, Debian without extras. A tag of a minor
# version gets its patches, and never another Node by surprise.
FROM node:22.23-bookworm-slim AS base
WORKDIR /app

# The compiler and all that only it needs stay in this stage.
FROM base AS build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
# Declarations are for who compiles against the package. Nobody does in here.
RUN npm run build && find dist -name '*.d.ts' -delete && rm dist/.source-hash

# What the program imports while it runs, without what only people and compilers read. Licences stay.
FROM base AS packages
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts \
  && find node_modules -type f \( -name '*.d.ts' -o -name '*.map' -o -name '*.md' \) -delete

FROM base
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Sidetrack" \
      org.opencontainers.image.description="A transparent proxy that gives any Redis server-assisted client-side caching" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
# Loopback, the default, cannot be reached from outside a container.
ENV NODE_ENV=production \
    SIDETRACK_LISTEN=0.0.0.0:6380 \
    SIDETRACK_ADMIN=0.0.0.0:9380
COPY package.json LICENSE ./
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist

# By number, so that Kubernetes can see that it is not root. All files are root's: the program can
# read them and change none, and it writes to no file, so the root may be read-only.
USER 1000:1000
EXPOSE 6380 9380
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "dist/cli.js", "healthcheck"]
ENTRYPOINT ["node", "dist/cli.js"]
