// A validating proxy as one builds it in Go: net/http, httputil.ReverseProxy and kin-openapi's request filter.
//
//	kin-openapi -listen 127.0.0.1:8080 -origin 127.0.0.1:9000 -document signup.json
//
// What departs from the document is answered 403, what is no operation of it 404; all else is forwarded over kept connections.
package main

import (
	"flag"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// As httputil.ReverseProxy asks for one: without it each answer is copied through a buffer of its own.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte       { return *b.pool.Get().(*[]byte) }
func (b *buffers) Put(buffer []byte) { b.pool.Put(&buffer) }

func main() {
	listen := flag.String("listen", "", "address to listen on")
	origin := flag.String("origin", "", "address of the origin")
	path := flag.String("document", "", "the OpenAPI document")
	flag.Parse()

	document, err := openapi3.NewLoader().LoadFromFile(*path)
	if err != nil {
		log.Fatal(err)
	}
	// Where a document names no server, any host is meant.
	router, err := gorillamux.NewRouter(document)
	if err != nil {
		log.Fatal(err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 256, 256
	transport.DisableCompression = true
	proxy := &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			request.SetURL(&url.URL{Scheme: "http", Host: *origin})
			request.SetXForwarded()
		},
		Transport: transport,
		BufferPool: &buffers{sync.Pool{New: func() any {
			buffer := make([]byte, 32<<10)
			return &buffer
		}}},
	}
	options := &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}
	handler := http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		route, variables, err := router.FindRoute(request)
		if err != nil {
			http.Error(writer, "no such operation", http.StatusNotFound)
			return
		}
		input := &openapi3filter.RequestValidationInput{Request: request, PathParams: variables, Route: route, Options: options}
		if err := openapi3filter.ValidateRequest(request.Context(), input); err != nil {
			http.Error(writer, "the request departs from the schema", http.StatusForbidden)
			return
		}
		proxy.ServeHTTP(writer, request)
	})
	log.Fatal(http.ListenAndServe(*listen, handler))
}
