"""Applications from Debian 12, most of them in PHP, Go or Java."""

from application import Application

PASSWORD = "Sommer-2024!x"
_PHP = (
    "php-fpm",
    "php-cli",
    "php-mysql",
    "php-sqlite3",
    "php-mbstring",
    "php-xml",
    "php-curl",
    "php-gd",
    "php-intl",
    "php-zip",
    "nginx-light",
    "mariadb-server",
)
_DATABASE = (
    "rm -rf db; mkdir db; mariadb-install-db --no-defaults --user=root --auth-root-authentication-method=normal --datadir=$APP/db >/dev/null;"
    " mariadbd --no-defaults --user=root --datadir=$APP/db --socket=$APP/db.sock --skip-networking & sleep 5;"
    " mariadb -S db.sock -e \"create database app; create user 'app'@'localhost' identified by 'Sommer-2024!x'; grant all on *.* to 'app'@'localhost';"
    " create user 'app'@'127.0.0.1' identified by 'Sommer-2024!x'; grant all on *.* to 'app'@'127.0.0.1';"
    " create table app.ships(id int primary key auto_increment, name varchar(40), port varchar(20)); insert into app.ships(name, port) values ('Alma','Kiel'),('Bore','Turku');\";"
)
_END_DATABASE = " mariadb-admin -S db.sock shutdown; wait"

DEBIAN = (
    Application(
        "wordpress", "PHP (WordPress)", "https://www.bokskog.example/", 7401, "bash $HERE/demo/php.sh $APP/site", "apt", ("wordpress", "wordpress-theme-twentytwentythree", *_PHP),
        setup=_DATABASE + " rm -rf site; cp -rL /usr/share/wordpress site; rm -f site/wp-config.php; cp -rLn /var/lib/wordpress/wp-content site/ || true;"
        " printf '<?php\\ndefine(\"DB_NAME\",\"app\");define(\"DB_USER\",\"app\");define(\"DB_PASSWORD\",\"Sommer-2024!x\");define(\"DB_HOST\",\"localhost:%s\");\\n$table_prefix=\"wp_\";"
        'define("DISABLE_WP_CRON",true);define("WP_HTTP_BLOCK_EXTERNAL",true);define("AUTOMATIC_UPDATER_DISABLED",true);if(!defined("ABSPATH"))define("ABSPATH",__DIR__."/");'
        "require_once ABSPATH.\"wp-settings.php\";' $APP/db.sock > site/wp-config.php;" + _END_DATABASE,
        login=(
            ("open", "wp-admin/install.php"), ("click", "#submit"), ("fill", "#weblog_title", "Bokskog"), ("fill", "#user_login", "admin"), ("fill", "#pass1", PASSWORD),
            ("fill", "#admin_email", "admin@bokskog.example"), ("click", "#submit"), ("wait", "3"), ("open", "wp-login.php"), ("fill", "#user_login", "admin"),
            ("fill", "#user_pass", PASSWORD), ("click", "#wp-submit"), ("wait", "2"),
        ),
        script=(
            ("open", "wp-admin/post-new.php"), ("wait", "4"), ("key", "Escape"), ("click", "h1[contenteditable]"), ("type", "Autumn walk"), ("key", "Enter"), ("type", "Leaves and rain."), ("key", "Control+s"), ("wait", "3"),
            ("open", "?p=1"), ("fill", "#comment", "Thank you"), ("click", "#submit"), ("open", "wp-admin/edit.php"), ("open", "wp-admin/upload.php"),
        ),
        seeds=("", "?p=1", "?s=hello", "?feed=rss2", "wp-admin/options-general.php", "wp-admin/edit-comments.php", "wp-admin/site-editor.php", "wp-admin/users.php", "wp-admin/export.php"), seconds=100,
    ),
    Application(
        "phpmyadmin", "PHP (phpMyAdmin)", "https://db.nordwind.example/pma/", 7402, "bash $HERE/demo/php.sh $APP/site /pma/", "apt", ("phpmyadmin", *_PHP),
        setup=_DATABASE + " rm -rf site; cp -rL /usr/share/phpmyadmin site; printf '<?php $cfg[\"blowfish_secret\"]=\"0123456789abcdef0123456789abcdef\"; $i=1; $cfg[\"Servers\"][1][\"auth_type\"]=\"cookie\";"
        " $cfg[\"Servers\"][1][\"socket\"]=\"%s\"; $cfg[\"Servers\"][1][\"host\"]=\"localhost\"; $cfg[\"TempDir\"]=\"%s/tmp\";' $APP/db.sock $APP > site/config.inc.php;"
        " mkdir -p tmp; sed -i \"s#define('CONFIG_FILE'.*#define('CONFIG_FILE', ROOT_PATH . 'config.inc.php');#; s#'configFile' => .*#'configFile' => ROOT_PATH . 'config.inc.php',#\" site/libraries/vendor_config.php;" + _END_DATABASE,
        login=(("fill", "#input_username", "app"), ("fill", "#input_password", PASSWORD), ("click", "#input_go"), ("wait", "2")),
        script=(("open", "index.php?route=/sql&db=app&table=ships&pos=0"), ("wait", "2"), ("open", "index.php?route=/table/change&db=app&table=ships"), ("fill", "input[name='fields[multi_edit][0][f4b9ec30ad9f68f89b29639786cb62ef]']", "z"), ("wait", "1"), ("open", "index.php?route=/table/structure&db=app&table=ships")),
        seeds=("index.php?route=/server/databases", "index.php?route=/server/status", "index.php?route=/server/variables", "index.php?route=/database/structure&db=app", "index.php?route=/table/search&db=app&table=ships"), seconds=90,
    ),
    Application(
        "mediawiki", "PHP (MediaWiki)", "http://wiki.kommun.example/w/", 7403, "bash $HERE/demo/php.sh $APP/site /w/", "apt", ("mediawiki", *_PHP),
        setup="rm -rf site data; cp -rL /usr/share/mediawiki site || true; rm -f site/LocalSettings.php; mkdir -p data site/images site/cache; php site/maintenance/install.php --dbtype sqlite --dbpath $APP/data --server http://wiki.kommun.example"
        f" --scriptpath /w --pass '{PASSWORD}' --skins Vector,Timeless,MonoBook --extensions WikiEditor,VisualEditor,ParserFunctions,Cite Kommunwiki Admin; echo '$wgEnableUploads=true; $wgJobRunRate=0;' >> site/LocalSettings.php",
        login=(("open", "index.php?title=Special:UserLogin"), ("fill", "#wpName1", "Admin"), ("fill", "#wpPassword1", PASSWORD), ("click", "#wpLoginAttempt"), ("wait", "1")),
        script=(
            ("open", "index.php?title=Snow_clearing&action=edit"), ("fill", "#wpTextbox1", "== Roads ==\nSee [[Main Page]]."), ("click", "#wpPreview"), ("click", "#wpSave"), ("open", "index.php?title=Main_Page"),
            ("fill", "input[name=search]", "Sno"), ("wait", "2"), ("open", "index.php?title=Main_Page&veaction=edit"), ("wait", "4"), ("click", "#ca-watch a"), ("wait", "1"),
        ),
        seeds=("index.php?title=Special:RecentChanges", "index.php?title=Special:Preferences", "index.php?title=Special:Upload", "index.php?title=Special:ApiSandbox#action=query&format=json", "index.php?title=Main_Page&action=history", "index.php?title=Special:AllPages"),
    ),
    Application(
        "dokuwiki", "PHP (DokuWiki)", "https://handbok.fjord.example/", 7404, "bash $HERE/demo/php.sh $APP/site", "apt", ("dokuwiki", *_PHP),
        setup="rm -rf site; cp -rL /usr/share/dokuwiki site; cp -rLn /var/lib/dokuwiki/data site/ || true; mkdir -p site/conf; cp -rL /etc/dokuwiki/* site/conf/; cp -rLn /var/lib/dokuwiki/lib site/ || true; mkdir -p site/data/{pages,attic,media,media_attic,media_meta,meta,cache,index,locks,tmp,log};"
        " rm -f site/inc/preload.php; echo \"<?php \\$conf['title']='Handbok'; \\$conf['useacl']=0; \\$conf['savedir']='$APP/site/data';\" > site/conf/local.php; mkdir -p site/data/pages/wiki; echo '====== Start ====== [[wiki:rules]] [[news]]' > site/data/pages/start.txt",
        script=(("open", "doku.php?id=news&do=edit"), ("fill", "#wiki__text", "====== News ======\nAll well."), ("click", "#edbtn__save"), ("fill", "#qsearch__in", "new"), ("wait", "2")),
        seeds=("doku.php?id=start", "doku.php?id=start&do=media", "doku.php?id=start&do=recent", "doku.php?id=start&do=index", "feed.php"), seconds=60,
    ),
    Application(
        "adminer", "PHP (Adminer)", "http://tools.nordwind.example:8088/", 7405, "bash $HERE/demo/php.sh $APP/site", "apt", ("adminer", *_PHP),
        setup=_DATABASE + " rm -rf site; mkdir site; cp -rL /usr/share/adminer/* site/; [ -e site/adminer.php ] && cp site/adminer.php site/index.php || true;" + _END_DATABASE,
        login=(("fill", "input[name='auth[server]']", "127.0.0.1:7505"), ("fill", "input[name='auth[username]']", "app"), ("fill", "input[name='auth[password]']", PASSWORD), ("fill", "input[name='auth[db]']", "app"), ("click", "input[type=submit]")), seconds=50,
    ),
    Application(
        "prometheus", "Go; React (Prometheus)", "https://metrics.aurora.example/prom/", 7406,
        "prometheus --web.listen-address=127.0.0.1:$PORT --web.external-url=https://metrics.aurora.example/prom/ --storage.tsdb.path=$APP/data --config.file=p.yml", "apt", ("prometheus",),
        setup="printf 'global: {scrape_interval: 2s}\\nscrape_configs:\\n- job_name: self\\n  metrics_path: /prom/metrics\\n  static_configs: [{targets: [\"127.0.0.1:7406\"]}]\\nrule_files: [r.yml]\\n' > p.yml;"
        " printf 'groups:\\n- name: g\\n  rules:\\n  - alert: Up\\n    expr: up == 1\\n' > r.yml",
        script=(("open", "graph?g0.expr=up&g0.tab=0"), ("wait", "2"), ("open", "graph?g0.expr=rate(prometheus_http_requests_total%5B1m%5D)&g0.tab=0"), ("wait", "2"), ("open", "classic/graph?g0.expr=up&g0.tab=0"), ("wait", "2")),
        seeds=("alerts", "rules", "targets", "service-discovery", "status", "tsdb-status", "flags", "config", "classic/targets"), seconds=60,
    ),
    Application(
        "syncthing", "Go; AngularJS (Syncthing)", "https://sync.bokskog.example/", 7407, "STNOUPGRADE=1 syncthing serve --no-browser --home=$APP/st --gui-address=127.0.0.1:$PORT --no-default-folder", "apt", ("syncthing",),
        setup="syncthing generate --home=$APP/st --skip-port-probing --no-default-folder; sed -i 's#</gui>#<insecureSkipHostcheck>true</insecureSkipHostcheck></gui>#; s#<globalAnnounceEnabled>true#<globalAnnounceEnabled>false#; s#<relaysEnabled>true#<relaysEnabled>false#; s#<urAccepted>0#<urAccepted>-1#; s#<natEnabled>true#<natEnabled>false#; s#<localAnnounceEnabled>true#<localAnnounceEnabled>false#' st/config.xml",
        script=(("wait", "3"), ("click", "button:has-text('Add Folder')"), ("fill", "#folderLabel", "Photos"), ("fill", "#folderPath", "/tmp/apps/syncthing/photos"), ("click", "#editFolder button:has-text('Save')"), ("wait", "3")), seconds=80,
    ),
    Application(
        "transmission", "C++; jQuery (Transmission)", "http://media.hemma.example:9091/transmission/web/", 7408,
        "mkdir -p t d && transmission-daemon -f -g $APP/t -w $APP/d -p $PORT -r 127.0.0.1 --no-auth --no-portmap --no-dht --no-lpd -P 7508", "apt", ("transmission-daemon",),
        setup="mkdir -p t; echo '{\"rpc-host-whitelist-enabled\": false, \"rpc-whitelist-enabled\": false}' > t/settings.json; dd if=/dev/urandom of=f.bin bs=1k count=300 2>/dev/null; transmission-create -o f.torrent f.bin || true",
        seconds=50,
    ),
    Application(
        "tomcat", "Java (Tomcat manager, documentation, examples)", "https://apps.kommun.example:8443/", 7409,
        "CATALINA_HOME=/usr/share/tomcat10 CATALINA_BASE=$APP/base /usr/share/tomcat10/bin/catalina.sh run", "apt", ("tomcat10", "tomcat10-admin", "tomcat10-docs", "tomcat10-examples"),
        setup="rm -rf base; mkdir -p base/{conf,logs,temp,webapps,work}; cp -rL /etc/tomcat10/* base/conf/; sed -i 's/port=\"8080\"/port=\"7409\" address=\"127.0.0.1\"/' base/conf/server.xml; mkdir -p base/webapps/ROOT; cp -rL /usr/share/tomcat10-root/default_root/* base/webapps/ROOT/;"
        " for a in manager host-manager; do cp -rL /usr/share/tomcat10-admin/$a base/webapps/; done; cp -rL /usr/share/tomcat10-docs/docs base/webapps/; cp -rL /usr/share/tomcat10-examples/examples base/webapps/;"
        " echo '<tomcat-users><role rolename=\"manager-gui\"/><role rolename=\"admin-gui\"/><user username=\"admin\" password=\"secret12\" roles=\"manager-gui,admin-gui\"/></tomcat-users>' > base/conf/tomcat-users.xml",
        seeds=("docs/", "examples/", "examples/jsp/", "examples/servlets/", "examples/servlets/servlet/SessionExample", "docs/config/", "examples/jsp/num/numguess.jsp"), seconds=60,
    ),
    Application(
        "rabbitmq", "Erlang; jQuery (RabbitMQ management)", "http://mq.aurora.example:15672/", 7410,
        "export RABBITMQ_NODENAME=rec@localhost RABBITMQ_NODE_PORT=7510 RABBITMQ_DIST_PORT=7511 RABBITMQ_MNESIA_BASE=$APP/m RABBITMQ_LOG_BASE=$APP/l RABBITMQ_ENABLED_PLUGINS_FILE=$APP/plugins RABBITMQ_CONFIG_FILE=$APP/r.conf"
        " RABBITMQ_PID_FILE=$APP/pid ERL_EPMD_PORT=7512; /usr/lib/rabbitmq/bin/rabbitmq-server", "apt", ("rabbitmq-server",),
        setup="echo '[rabbitmq_management].' > plugins; printf 'listeners.tcp.1 = 127.0.0.1:7510\\nmanagement.tcp.port = 7410\\nmanagement.tcp.ip = 127.0.0.1\\nloopback_users = none\\n' > r.conf; mkdir -p m l",
        login=(("fill", "input[name=username]", "guest"), ("fill", "input[name=password]", "guest"), ("click", "input[type=submit]"), ("wait", "3")),
        script=(("open", "#/queues"), ("wait", "1"), ("click", "h2:has-text('Add a new queue')"), ("fill", "input[name=name] >> visible=true", "orders"), ("click", "input[value='Add queue']"), ("wait", "1"), ("open", "#/queues/%2F/orders"), ("wait", "1")),
        seeds=("#/connections", "#/channels", "#/exchanges", "#/exchanges/%2F/amq.topic", "#/users", "#/vhosts", "#/policies", "#/limits", "api/index.html", "cli/index.html"), seconds=80,
    ),
    Application(
        "netdata", "C; dashboard in JavaScript (Netdata)", "https://host7.aurora.example/", 7411,
        "netdata -D -W set web 'bind to' 127.0.0.1 -p $PORT -W set global 'run as user' root -W set registry enabled no", "apt", ("netdata",), seconds=50,
    ),
)  # fmt: skip
