#!/bin/bash
# Serve a folder of files with nginx or lighttpd. Usage: static.sh nginx|lighttpd ROOT [PREFIX]
set -eu
server=$1 root=$2 prefix=${3:-/} here=$PWD
mkdir -p tmp
if [ "$server" = lighttpd ]; then
  printf 'server.document-root = "%s"\nserver.port = %s\nserver.bind = "127.0.0.1"\nindex-file.names = ("index.html")\ndir-listing.activate = "enable"\nserver.modules += ("mod_dirlisting")\nmimetype.assign = (".html" => "text/html", ".css" => "text/css", ".js" => "text/javascript", ".png" => "image/png", ".svg" => "image/svg+xml", ".json" => "application/json", ".txt" => "text/plain", "" => "application/octet-stream")\n' "$root" "$PORT" > lighttpd.conf
  exec /usr/sbin/lighttpd -D -f lighttpd.conf
fi
cat > nginx.conf <<CONF
user root;
daemon off;
pid $here/nginx.pid;
error_log $here/nginx-error.log;
events {}
http {
  include /etc/nginx/mime.types;
  access_log off;
  gzip on;
  gzip_types text/css application/javascript application/json image/svg+xml;
  client_body_temp_path $here/tmp; fastcgi_temp_path $here/tmp; proxy_temp_path $here/tmp; scgi_temp_path $here/tmp; uwsgi_temp_path $here/tmp;
  server { listen 127.0.0.1:$PORT; absolute_redirect off; location $prefix { alias $root/; autoindex on; expires 1h; } }
}
CONF
exec /usr/sbin/nginx -c "$here/nginx.conf"
