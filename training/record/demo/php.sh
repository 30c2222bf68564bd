#!/bin/bash
# Serve a PHP application: php-fpm and nginx in the foreground, with MariaDB beside them when its data folder exists.
# Usage: php.sh ROOT [PREFIX]   (in the application's own folder; $PORT is nginx's)
set -eu
root=$1 prefix=${2:-} here=$PWD
cat > fpm.conf <<CONF
[global]
error_log = $here/fpm.log
daemonize = no
[www]
listen = $here/fpm.sock
user = root
group = root
pm = static
pm.max_children = 4
clear_env = no
php_admin_value[upload_max_filesize] = 20M
php_admin_value[session.save_path] = $here/sessions
php_admin_value[error_log] = $here/php-error.log
CONF
mkdir -p sessions tmp
if [ -n "$prefix" ]; then place="location $prefix { alias $root/; index index.php doku.php; location ~ ^$prefix(.+\.php)(/.*)?\$ { alias $root/\$1; include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME $root/\$1; fastcgi_param PATH_INFO \$2; fastcgi_param HTTP_HOST \$http_host; fastcgi_param HTTPS \$secure; fastcgi_pass unix:$here/fpm.sock; } }"
else place="root $root; index index.php doku.php; location / { try_files \$uri \$uri/ /index.php?\$args; } location ~ ^(.+\.php)(/.*)?\$ { include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME $root\$1; fastcgi_param SCRIPT_NAME \$1; fastcgi_param PATH_INFO \$2; fastcgi_param HTTP_HOST \$http_host; fastcgi_param HTTPS \$secure; fastcgi_pass unix:$here/fpm.sock; }"
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
  gzip_types text/css application/javascript application/json;
  client_max_body_size 20m;
  client_body_temp_path $here/tmp; fastcgi_temp_path $here/tmp; proxy_temp_path $here/tmp; scgi_temp_path $here/tmp; uwsgi_temp_path $here/tmp;
  map \$http_x_forwarded_proto \$secure { default ''; https on; }
  server { listen 127.0.0.1:$PORT; $place }
}
CONF
if [ -d db ]; then
  mariadbd --no-defaults --user=root --datadir="$here/db" --socket="$here/db.sock" --port=$((PORT + 100)) --bind-address=127.0.0.1 >> db.log 2>&1 &
  for _ in $(seq 60); do [ -S db.sock ] && break; sleep 0.5; done
fi
/usr/sbin/php-fpm8.2 -R -y fpm.conf &
exec /usr/sbin/nginx -c "$here/nginx.conf"
