"""nginx 1.22: a static file server, and the front of `git http-backend` through fcgiwrap."""
import os
import pathlib
import shutil
import subprocess

from harness import free_port, wait_until_answers

CONFIG = """
worker_processes 2;
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 10000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  default_type application/octet-stream;
  server {{
    listen 127.0.0.1:{port};
    root {root};
    location ~ ^/git(/.*)$ {{
      client_max_body_size 0;
      fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend;
      fastcgi_param GIT_HTTP_EXPORT_ALL "";
      fastcgi_param GIT_PROJECT_ROOT {root}/git;
      fastcgi_param PATH_INFO $1;
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param REMOTE_USER bench;
      fastcgi_param GIT_PROTOCOL $http_git_protocol;
      fastcgi_pass unix:{folder}/fcgi.sock;
    }}
  }}
}}
"""


class Nginx:
    def __init__(self, folder, root):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.root = root
        self.children = []

    def __enter__(self):
        config = self.folder / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        config.write_text(CONFIG.format(folder=self.folder, port=self.port, root=self.root, user=user))
        (pathlib.Path(self.root) / "up").write_text("up")
        if shutil.which("fcgiwrap"):
            self.children.append(subprocess.Popen(["fcgiwrap", "-c", "4", "-s", f"unix:{self.folder}/fcgi.sock"]))
        self.children.append(subprocess.Popen(["nginx", "-c", str(config), "-p", str(self.folder)], stderr=subprocess.DEVNULL))
        wait_until_answers(self.base + "/up")
        return self

    def __exit__(self, *_):
        for child in self.children:
            child.terminate()
        for child in self.children:
            child.wait(30)
